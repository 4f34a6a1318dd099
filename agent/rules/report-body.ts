import { catalogue } from '../../protocol/errors.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Fault } from './agent-state.ts';

type Detail = NonNullable<Report['detail']>;
const texts = { characters: 300, ofList: 100, list: 20, names: 12 };

/**
 * The part of a report that says why. Only numbers and short words of the detail leave the home, cut to what a report holds: whatever a fault
 * carries, its report can be sent.
 */
export function reasonOf({ code, detail }: Fault): Pick<Report, 'number' | 'code' | 'detail'> {
  const entries = Object.entries(detail)
    .filter(([name]) => !private_.has(name) && name.length <= 40)
    .flatMap(([name, value]): [string, Detail[string]][] => {
      const short = shorten(value);
      return short === undefined ? [] : [[name, short]];
    })
    .slice(0, texts.names);
  return { number: catalogue[code].number, code, ...(entries.length > 0 && { detail: Object.fromEntries(entries) }) };
}

/** Paths, addresses and host names stay in the local log (DOMAIN §12). */
const private_: ReadonlySet<string> = new Set(['path', 'host', 'address', 'url', 'at']);

function shorten(value: unknown): Detail[string] | undefined {
  if (typeof value === 'string') return value.slice(0, texts.characters);
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string'))
    return value.slice(0, texts.list).map((entry) => entry.slice(0, texts.ofList));
  return undefined;
}
