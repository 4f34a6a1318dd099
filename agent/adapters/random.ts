import { randomBytes, randomInt } from 'node:crypto';
import { randomId } from '../../protocol/fields.ts';
import type { Random } from '../ports.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const systemRandom: Random = {
  id: () => randomId.parse(Array.from({ length: 26 }, () => alphabet[randomInt(alphabet.length)]).join('')),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  fraction: () => randomInt(2 ** 32) / 2 ** 32,
};
