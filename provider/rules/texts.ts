/** Numbers as people read them; independent of the machine's locale. */
import { grouped } from '../../protocol/text-table.ts';

export function bytesText(bytes: number): string {
  return `${grouped(bytes)} バイト`;
}

export function yenText(yen: number): string {
  return `${grouped(yen)} 円`;
}
