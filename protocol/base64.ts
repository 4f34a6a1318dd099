/** RFC 4648 §4 with padding, no white space, spare bits zero: the one spelling of the bytes, so that equal bytes are equal text. */
export const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @returns the bytes, or undefined when `text` is not the canonical spelling */
export function decodeBase64(text: string): Buffer | undefined {
  if (!base64Pattern.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
