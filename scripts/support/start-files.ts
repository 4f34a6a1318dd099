import type { Metafile } from 'esbuild';

/** The outputs that a bundle loads at start: `output` and the chunks that it imports, but not those that wait for an import(). */
export function outputsAtStart(outputs: Metafile['outputs'], output: string, seen = new Set<string>()): string[] {
  if (seen.has(output)) return [];
  seen.add(output);
  const chunks = outputs[output]?.imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true) ?? [];
  return [output, ...chunks.flatMap((chunk) => outputsAtStart(outputs, chunk.path, seen))];
}
