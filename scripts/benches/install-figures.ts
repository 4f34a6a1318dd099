/** From what the rounds gave to the rows and goals of `scripts/bench install`. */
import type { Stages, Watched } from './install-ways.ts';
import type { Cost } from './process-figures.ts';
import { type Row, rounded } from './result.ts';
import { median, medianRatio } from './rounds.ts';

export type OurCost = Cost & Stages;
export type About = { readonly gzBytes: number; readonly tarBytes: number; readonly files: number };
type Measured = { readonly floor: readonly Cost[]; readonly ours: readonly OurCost[]; readonly watched: readonly Watched[] };

export function installFigures(about: About, { floor, ours, watched }: Measured): { ratio: number; peakMb: number; rows: Row[] } {
  const of = <Figures>(all: readonly Figures[], figure: keyof Figures) => all.map((one) => one[figure] as number);
  const ratio = medianRatio(of(ours, 'wallMs'), of(floor, 'wallMs'));
  const peakMb = Math.max(...of(watched, 'peakRssBytes')) / 1_000_000;
  const floorCpuMs = median(of(floor, 'cpuMs'));
  const ourCpuMs = median(of(ours, 'cpuMs')) + median(of(watched, 'cpuMs'));
  return {
    ratio,
    peakMb,
    rows: [
      {
        way: 'sha256sum + tar -xzf + sync -f',
        ...about,
        ...wallFigures(of(floor, 'wallMs')),
        ratio: 1,
        cpuMs: Math.round(floorCpuMs),
        cpuRatio: 1,
        childPeakMb: '-',
        stagesMs: '-',
      },
      {
        way: 'tsugite',
        ...about,
        ...wallFigures(of(ours, 'wallMs')),
        ratio: rounded(ratio),
        cpuMs: Math.round(ourCpuMs),
        cpuRatio: rounded(ourCpuMs / floorCpuMs),
        childPeakMb: rounded(peakMb, 1),
        stagesMs: (['hashMs', 'childMs', 'storeMs'] as const)
          .map((stage) => `${stage.slice(0, -2)} ${Math.round(median(of(ours, stage)))}`)
          .join(', '),
      },
    ],
  };
}

function wallFigures(wallMs: readonly number[]) {
  return {
    wallMs: Math.round(median(wallMs)),
    leastMs: Math.round(Math.min(...wallMs)),
    mostMs: Math.round(Math.max(...wallMs)),
  };
}
