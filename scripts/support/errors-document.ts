import { catalogue, type ErrorEntry, type Sentence, whoLabels } from '../../protocol/errors.ts';

const ranges: readonly (readonly [firstDigit: string, title: string])[] = [
  ['1', 'E1xx 契約・提供条件 / contract and eligibility'],
  ['2', 'E2xx 署名・信頼 / trust'],
  ['3', 'E3xx サイズ / sizes and room'],
  ['4', 'E4xx 通信 / network'],
  ['5', 'E5xx インストール / installation'],
  ['6', 'E6xx 実行 / running'],
  ['7', 'E7xx 運用の決まり / governance'],
  ['8', 'E8xx 請求 / billing'],
  ['9', 'E9xx エージェントとプログラム / agent and programs'],
];

const head = `# エラー番号一覧 / Errors

Made from protocol/error-catalogue/ by scripts/generate-docs.ts; a test holds them to each other. Do not edit.

The number is for a person on the telephone, the code for programs. \`{…}\` is filled from the error's detail. A line below a number is what one
\`detail.kind\` says instead; 「光コラボ」 is the remedy for a line sold by a collaboration carrier. 7000–7999 belong to providers' own software.
再実行 / retry: *later* = by itself, *never* = not with the same input, *after-operator* = once the operator has changed something.

`;

/** docs/ERRORS.md, whole. */
export function errorsDocument(): string {
  const rows = Object.entries<ErrorEntry>(catalogue).sort(([, a], [, b]) => (a.number < b.number ? -1 : 1));
  const sections = ranges.map(([digit, title]) => {
    const inRange = rows.filter(([, entry]) => entry.number[1] === digit);
    return `## ${title}\n\n| 番号 | code | 表示文 / message | 対応 / remedy | 対応者 / who | retry |\n|---|---|---|---|---|---|\n${inRange.flatMap(linesOf).join('\n')}\n`;
  });
  return head + sections.join('\n');
}

function linesOf([code, entry]: readonly [string, ErrorEntry]): string[] {
  const own = line(entry.number, `\`${code}\``, entry.summary, entry.remedy, entry.who, entry.retry);
  const variants = Object.entries(entry.variants ?? {}).map(([kind, variant]) =>
    line('', kind, variant.summary, variant.remedy, variant.who, variant.retry),
  );
  return [own, ...variants, ...(entry.collab ? [line('', '光コラボ', undefined, entry.collab, 'collabCarrier', undefined)] : [])];
}

function line(
  number: string,
  code: string,
  summary: Sentence | undefined,
  remedy: Sentence | undefined,
  who: ErrorEntry['who'] | undefined,
  retry: string | undefined,
): string {
  const cells = [number, code, both(summary), both(remedy), who ? both(whoLabels[who]) : '', retry ?? ''];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function both(sentence: Sentence | undefined): string {
  return sentence ? `${sentence.ja}<br>${sentence.en}` : '';
}
