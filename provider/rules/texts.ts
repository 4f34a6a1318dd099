/** Numbers as people read them; independent of the machine's locale. */
export function bytesText(bytes: number): string {
  return `${grouped(bytes)} バイト`;
}

export function yenText(yen: number): string {
  return `${grouped(yen)} 円`;
}

export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
