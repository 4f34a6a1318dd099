/**
 * Watches the framing of one client's MQTT stream (3.1.1 §2.2.3) without parsing it. The broker's own parser would collect as many bytes as
 * the sender claims, up to 256 MB a packet and connection: here the claim is checked while it is still four bytes.
 *
 * @param maxPacketBytes  largest remaining length that is let through
 * @returns feed it every chunk in order; false means: too long or not MQTT, close the connection
 */
export function makeFrameGuard(maxPacketBytes: number): (chunk: Uint8Array) => boolean {
  let state: 'type' | 'length' | 'body' | 'refused' = 'type';
  let length = 0;
  let lengthBytes = 0;
  let bodyLeft = 0;

  function takeLengthByte(byte: number): void {
    length += (byte & 0x7f) * 128 ** lengthBytes;
    lengthBytes += 1;
    if (length > maxPacketBytes || (lengthBytes === 4 && (byte & 0x80) !== 0)) state = 'refused';
    else if ((byte & 0x80) === 0) {
      bodyLeft = length;
      state = bodyLeft === 0 ? 'type' : 'body';
    }
  }

  return (chunk) => {
    let at = 0;
    while (at < chunk.length && state !== 'refused') {
      if (state === 'type') {
        at += 1;
        length = 0;
        lengthBytes = 0;
        state = 'length';
      } else if (state === 'length') {
        takeLengthByte(chunk[at] ?? 0);
        at += 1;
      } else {
        const taken = Math.min(bodyLeft, chunk.length - at);
        at += taken;
        bodyLeft -= taken;
        if (bodyLeft === 0) state = 'type';
      }
    }
    return state !== 'refused';
  };
}
