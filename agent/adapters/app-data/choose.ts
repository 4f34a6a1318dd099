import { mkdirSync } from 'node:fs';
import type { DataArea } from './area.ts';
import { imageArea } from './image.ts';
import { findImageFault } from './image-tools.ts';
import { plainFolder } from './plain-folder.ts';

export type ChosenArea = {
  area: DataArea;
  /** Why there are no images here. */
  fault?: Readonly<Record<string, unknown>>;
};

/** Images where this machine has just mounted one, a plain folder elsewhere. Tried with the first software that starts, once a run. */
export function makeChooseArea(probeDir: string): () => Promise<ChosenArea> {
  let chosen: Promise<ChosenArea> | undefined;
  return () => {
    chosen ??= (async () => {
      mkdirSync(probeDir, { recursive: true, mode: 0o711 });
      const fault = await findImageFault(probeDir);
      return fault === undefined ? { area: imageArea } : { area: plainFolder, fault };
    })();
    return chosen;
  };
}
