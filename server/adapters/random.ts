import { randomBytes } from 'node:crypto';
import { randomId } from '../../protocol/fields.ts';
import type { Random } from '../ports.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const idCharacters = 26; // 130 bits

export const systemRandom: Random = {
  bytes: randomBytes,
  id: () =>
    randomId.parse(
      Array.from(randomBytes(idCharacters), (byte) => alphabet[byte & 31]).join(''), // 32 letters: no bias
    ),
};
