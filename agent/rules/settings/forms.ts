import { type Ask, parseAsk } from '../ask.ts';

export type Fields = Readonly<Record<string, string>>;

/** `application/x-www-form-urlencoded`; a name that comes twice is not from our page. */
export function parseForm(body: string): Fields | undefined {
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(body)) {
    if (name in fields) return undefined;
    fields[name] = value;
  }
  return fields;
}

/** What a form of the settings page asks for. @throws TsugiteError INPUT_REFUSED */
export function askOfForm({ kind, software, item, value, request, given, output }: Fields): Ask {
  switch (kind) {
    case 'install-now':
    case 'postpone':
      return parseAsk({ kind, software });
    case 'confirm':
      return parseAsk({ kind, item, value });
    case 'consent':
      return parseAsk({ kind, request, isGiven: given === 'yes', withOutput: output === 'yes' });
    default:
      return parseAsk({ kind });
  }
}
