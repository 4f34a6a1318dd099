import type { Answer } from '../../protocol/command-output.ts';
import type { DoctorRow } from '../rules/doctor.ts';

export function doctorAnswer(rows: readonly DoctorRow[]): Answer {
  const faults = rows.filter(({ ok }) => !ok);
  const verdict =
    faults.length === 0
      ? '問題は見つかりませんでした。（No fault was found.）'
      : `${faults.length}件の問題が見つかりました。（Faults found: ${faults.length}.）`;
  return { value: { ok: faults.length === 0, rows }, lines: [...rows.flatMap(linesOf), '', verdict] };
}

function linesOf({ ok, ja, en, facts, reason, remedy, who }: DoctorRow): string[] {
  const found = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  const head = `${ok ? '○' : '×'} ${ja}（${en}）${found.length === 0 ? '' : `  ${found.join(', ')}`}`;
  if (reason === undefined || remedy === undefined) return [head];
  return [
    head,
    `    ${reason.number} ${reason.code}`,
    `    ${reason.ja}`,
    `    ${reason.en}`,
    `    対処（${who?.ja}）: ${remedy.ja}`,
    `    Remedy (${who?.en}): ${remedy.en}`,
  ];
}
