/** Which names a payload entry may have (DESIGN §5): readable, the same on every file system, and writable as plain ustar. */
import { limits } from '../limits.ts';

export type NameFault =
  | 'absolute'
  | 'empty-part'
  | 'dot-part'
  | 'backslash'
  | 'not-nfc'
  | 'forbidden-character'
  | 'too-long'
  | 'too-deep'
  | 'not-ustar';

const nameFieldBytes = 100;
const prefixFieldBytes = 155;

// Control, format, surrogate, private use, line and paragraph separators: invisible, or different for each reader.
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

/** As nearly every name is. For these the tables of Unicode have nothing to say, and a package has up to 10,000 names. */
const printableAscii = /^[\x20-\x7e]*$/;

/** @param name  of a file or folder, without the folder's final `/`; `undefined` means that the name is good */
export function faultOfName(name: string): NameFault | undefined {
  if (name.startsWith('/')) return 'absolute';
  if (name.includes('\\')) return 'backslash';
  const isAscii = printableAscii.test(name);
  if (!isAscii && forbidden.test(name)) return 'forbidden-character';
  const parts = name.split('/');
  if (parts.includes('')) return 'empty-part';
  if (parts.includes('.') || parts.includes('..')) return 'dot-part';
  if (!isAscii && name.normalize('NFC') !== name) return 'not-nfc';
  if (Buffer.byteLength(name) > limits.nameBytes) return 'too-long';
  if (parts.length > limits.nameParts) return 'too-deep';
  if (splitName(name, 'longest-prefix') === undefined) return 'not-ustar';
  return undefined;
}

/**
 * Equal for two names that some file system takes for one: Unicode full case folding, then NFC. JavaScript has no case folding;
 * lower-upper-lower gives the same classes, but for dotless ı, which folds to itself.
 */
export function foldedName(name: string): string {
  if (printableAscii.test(name)) return name.toLowerCase();
  const folded = name.split('ı').map((piece) => piece.toLowerCase().toUpperCase().toLowerCase());
  return folded.join('ı').normalize('NFC');
}

/** `longest-prefix` as GNU tar and node-tar do, `shortest-prefix` as Python's tarfile does; they differ above 100 bytes only. */
export type SplitRule = 'longest-prefix' | 'shortest-prefix';

/** Divides a stored name over the two name fields of a ustar header; `undefined` when it does not fit. */
export function splitName(stored: string, rule: SplitRule): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(stored) <= nameFieldBytes) return { prefix: '', name: stored };
  const slashes = [...stored.matchAll(/\/(?!$)/g)].map((match) => match.index);
  const splits = slashes.map((at) => ({ prefix: stored.slice(0, at), name: stored.slice(at + 1) }));
  const fitting = splits.filter(
    ({ prefix, name }) => Buffer.byteLength(prefix) <= prefixFieldBytes && Buffer.byteLength(name) <= nameFieldBytes,
  );
  return rule === 'longest-prefix' ? fitting.at(-1) : fitting.at(0);
}

/** `a/b/c` → `a/`, `a/b/`: the stored names of the folders above a file. */
export function foldersAbove(name: string): string[] {
  const folders: string[] = [];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) folders.push(name.slice(0, at + 1));
  return folders;
}
