/** What a person at the gateway may ask the running agent to do: the same words from the settings page and from the command line. */
import { TsugiteError } from '../../protocol/errors.ts';
import { type ConfirmItem, confirmItems } from '../../protocol/messages/confirmation.ts';

export type Ask =
  | { kind: 'resync' }
  | { kind: 'confirm'; item: ConfirmItem; value: string }
  /** Without a name: everything that waits. */
  | { kind: 'install-now'; software: string | null }
  | { kind: 'postpone'; software: string | null }
  | { kind: 'consent'; request: string; isGiven: boolean; withOutput: boolean };

/** @throws TsugiteError INPUT_REFUSED with the field that is wrong */
export function parseAsk(value: unknown): Ask {
  if (typeof value !== 'object' || value === null) throw refused('ask');
  const { kind, ...rest } = value as Readonly<Record<string, unknown>>;
  switch (kind) {
    case 'resync':
      onlyHas(rest, []);
      return { kind };
    case 'confirm':
      onlyHas(rest, ['item', 'value']);
      return { kind, ...parseConfirmation(rest.item, rest.value) };
    case 'install-now':
    case 'postpone':
      onlyHas(rest, ['software']);
      return { kind, software: parseSoftware(rest.software) };
    case 'consent': {
      onlyHas(rest, ['request', 'isGiven', 'withOutput']);
      const { request, isGiven, withOutput } = rest;
      if (typeof request !== 'string' || !/^[a-z0-9]{16,32}$/.test(request)) throw refused('request');
      if (typeof isGiven !== 'boolean') throw refused('isGiven');
      if (typeof withOutput !== 'boolean') throw refused('withOutput');
      return { kind, request, isGiven, withOutput };
    }
    default:
      throw refused('kind');
  }
}

/** `office-equipment=no`, as a technician types it. @throws TsugiteError INPUT_REFUSED */
export function parseConfirmText(text: string): Extract<Ask, { kind: 'confirm' }> {
  const at = text.indexOf('=');
  return { kind: 'confirm', ...parseConfirmation(at < 0 ? text : text.slice(0, at), at < 0 ? '' : text.slice(at + 1)) };
}

function parseConfirmation(item: unknown, value: unknown): { item: ConfirmItem; value: string } {
  const items = Object.keys(confirmItems);
  if (typeof item !== 'string' || !Object.hasOwn(confirmItems, item)) throw refused('item', items);
  const values: readonly string[] = confirmItems[item as ConfirmItem];
  if (typeof value !== 'string' || !values.includes(value)) throw refused('value', values);
  return { item: item as ConfirmItem, value };
}

function parseSoftware(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string' || value === '' || value.length > 200) throw refused('software');
  return value;
}

function onlyHas(value: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw refused(unknown.slice(0, 40));
}

function refused(field: string, allowed?: readonly string[]): TsugiteError {
  return new TsugiteError('INPUT_REFUSED', {
    faults: [{ field, fault: allowed === undefined ? 'not understood' : `one of ${allowed.join(', ')}` }],
  });
}
