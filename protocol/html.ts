/** Markup that escapes by itself: whatever a page or a paper shows, whoever wrote it, is text. */

/** Text that was already made safe: only `html` makes it. */
export type Html = { readonly markup: string };

/** Joins markup; every value that is not markup itself is escaped, whoever wrote it. */
export function html(parts: TemplateStringsArray, ...values: (string | number | Html | readonly Html[])[]): Html {
  const shown = values.map((value) =>
    Array.isArray(value) ? value.map(({ markup }) => markup).join('') : markupOf(value as string | number | Html),
  );
  return { markup: parts.reduce((text, part, index) => text + (shown[index - 1] ?? '') + part) };
}

function markupOf(value: string | number | Html): string {
  if (typeof value === 'object') return value.markup;
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  // Direction overrides and invisible characters would let a name display as another one.
  return String(value)
    .replace(/[^\P{C}\n\t]/gu, '')
    .replace(/[&<>"']/g, (character) => named[character] as string);
}

export const nothing: Html = { markup: '' };
