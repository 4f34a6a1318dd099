/** The little of DER (X.690) that a certificate needs. Definite lengths in their shortest form only; nothing may follow what was read. */
import { TsugiteError } from '../errors.ts';

export const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

export type DerNode = { readonly tag: number; readonly content: Buffer; readonly whole: Buffer };

/** The one value that `bytes` holds. @throws TsugiteError SIGNER_CHAIN_REFUSED `der` */
export function readDer(bytes: Buffer): DerNode {
  const { node, rest } = readFirst(bytes);
  if (rest.length > 0) throw malformed('bytes after the value');
  return node;
}

/** The values inside a constructed one. */
export function childrenOf(node: DerNode): DerNode[] {
  const children: DerNode[] = [];
  let rest = node.content;
  while (rest.length > 0) {
    const first = readFirst(rest);
    children.push(first.node);
    rest = first.rest;
  }
  return children;
}

/** Dotted text of an OBJECT IDENTIFIER. */
export function readOid(node: DerNode): string {
  if (node.tag !== tag.oid || node.content.length === 0) throw malformed('object identifier expected');
  const numbers: number[] = [];
  let value = 0;
  for (const byte of node.content) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    numbers.push(value);
    value = 0;
  }
  const [head = 0, ...tail] = numbers;
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...tail].join('.');
}

/** UTCTime or GeneralizedTime, RFC 5280 §4.1.2.5: in seconds and ending in Z. @returns unix milliseconds */
export function readTime(node: DerNode): number {
  const text = node.content.toString('latin1');
  const isUtcTime = node.tag === tag.utcTime;
  const match = (isUtcTime ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
  if (match === null || (!isUtcTime && node.tag !== tag.generalizedTime)) throw malformed('time expected');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const century = isUtcTime ? (year < 50 ? 2000 : 1900) : 0;
  return Date.UTC(century + year, month - 1, day, hour, minute, second);
}

function readFirst(bytes: Buffer): { node: DerNode; rest: Buffer } {
  const [tagByte, lengthByte] = bytes;
  if (tagByte === undefined || lengthByte === undefined || (tagByte & 0x1f) === 0x1f) throw malformed('tag or length missing');
  const lengthBytes = lengthByte < 0x80 ? 0 : lengthByte & 0x7f;
  if (lengthByte === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) throw malformed('length');
  const length = lengthBytes === 0 ? lengthByte : bytes.readUIntBE(2, lengthBytes);
  if (lengthBytes > 0 && (length < 0x80 || bytes[2] === 0)) throw malformed('length not in its shortest form');
  const end = 2 + lengthBytes + length;
  if (bytes.length < end) throw malformed('value cut short');
  return {
    node: { tag: tagByte, content: bytes.subarray(2 + lengthBytes, end), whole: bytes.subarray(0, end) },
    rest: bytes.subarray(end),
  };
}

function malformed(fault: string): TsugiteError {
  return new TsugiteError('SIGNER_CHAIN_REFUSED', { kind: 'der', fault });
}
