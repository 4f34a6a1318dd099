/** The fields that statements and messages are made of. Bounds are those of DESIGN §4–§6; a type with a brand was checked here. */
import * as z from 'zod/mini';
import { decodeBase64 } from './base64.ts';
import { limits } from './limits.ts';

const text = (pattern: RegExp) => z.string().check(z.regex(pattern));

export type GatewayId = z.infer<typeof gatewayId>;
export const gatewayId = text(/^[a-z0-9][a-z0-9-]{2,62}$/).brand<'GatewayId'>();

export type SoftwareId = z.infer<typeof softwareId>;
const dottedName = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$/;
export const softwareId = text(dottedName).check(z.maxLength(64)).brand<'SoftwareId'>();
/** First part of the path on the local page; `status.json` is the page's own. */
export const webPrefix = text(dottedName).check(
  z.maxLength(64),
  z.refine((prefix) => prefix !== 'status.json', 'status.json is reserved'),
);

export type ProviderId = z.infer<typeof providerId>;
export const providerId = text(/^[a-z][a-z0-9-]{1,30}$/).brand<'ProviderId'>();

/** Random id of a target, request or order. */
export type RandomId = z.infer<typeof randomId>;
export const randomId = text(/^[a-z0-9]{16,32}$/).brand<'RandomId'>();

/** SHA-256, 64 lower-case hex digits. */
export type Digest = z.infer<typeof digest>;
export const digest = text(/^[0-9a-f]{64}$/).brand<'Digest'>();

/** `sha256:` and the hex SHA-256 of the public key's SubjectPublicKeyInfo (DER). */
export type KeyId = z.infer<typeof keyId>;
export const keyId = text(/^sha256:[0-9a-f]{64}$/).brand<'KeyId'>();

/** RFC 3339, UTC, whole seconds: `2026-11-22T00:00:00Z`; a real date of the calendar. */
export type UtcTime = z.infer<typeof utcTime>;
export const utcTime = text(/^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$/)
  .check(z.refine((time) => secondsOf(Date.parse(time)) === time, 'not a date of the calendar'))
  .brand<'UtcTime'>();

/** @param ms unix milliseconds; the fraction of a second is dropped */
export function toUtcTime(ms: number): UtcTime {
  return utcTime.parse(secondsOf(ms));
}

function secondsOf(ms: number): string {
  return Number.isFinite(ms) ? `${new Date(ms).toISOString().slice(0, 19)}Z` : '';
}

export const base64 = z.string().check(z.refine((value) => decodeBase64(value) !== undefined, 'not canonical base64 (RFC 4648 §4)'));

/** Semantic Versioning 2.0.0 without build metadata: `+…` never takes part in order, so it could hide a second package. */
export type Version = z.infer<typeof version>;
export const version = text(
  /^(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})\.(0|[1-9]\d{0,9})(-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?$/,
)
  .check(z.maxLength(64))
  .brand<'Version'>();

/** `PR-500KI`: series and maker (DOMAIN §8.1). Whether the model exists is the catalogue's matter. */
export type ModelName = z.infer<typeof modelName>;
export const modelName = text(/^(PR|RT|RV|RS|SG)-\d{3}(KI|MI|NE)$/).brand<'ModelName'>();

export const firmware = text(/^\d{2}\.\d{2}\.\d{4}$/);
export const dateOnly = text(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/);
export const clockTime = text(/^([01]\d|2[0-3]):[0-5]\d$/);
export const httpsUrl = text(/^https:\/\/[^\s/?#@]+(:\d{1,5})?[^\s]*$/).check(z.maxLength(1000));
export const pem = text(/^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?$/).check(
  z.maxLength(limits.jsonStringBytes),
);

export const lanPermission = text(/^(udp|tcp):([1-9]\d{0,4})$/).check(
  z.refine((value) => Number(value.slice(4)) <= 65_535, 'port above 65535'),
);
export const wanPermission = text(/^(?=.{4,260}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*:([1-9]\d{0,4})$/).check(
  z.refine((value) => Number(value.slice(value.lastIndexOf(':') + 1)) <= 65_535, 'port above 65535'),
);

/** A safe integer, 0 or more. */
export const count = z.int().check(z.nonnegative());
export const positive = z.int().check(z.positive());
export const between = (from: number, to: number) => z.int().check(z.gte(from), z.lte(to));
export const line = (maxCharacters: number) => z.string().check(z.maxLength(maxCharacters));
export const inBothLanguages = (maxCharacters: number) => z.strictObject({ ja: line(maxCharacters), en: line(maxCharacters) });

/**
 * The one place for unknown fields. Integer-like keys are refused: JavaScript puts them first whatever their order was, so the text that was
 * signed could not be made again.
 */
export const ext = z
  .record(
    z.string().check(
      z.maxLength(100),
      z.refine((key) => !/^(0|[1-9]\d*)$/.test(key), 'integer-like key'),
    ),
    z.unknown(),
  )
  .check(z.refine((value) => !hasIntegerLikeKey(value), 'integer-like key'));

function hasIntegerLikeKey(value: unknown): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(hasIntegerLikeKey);
  return Object.entries(value).some(([key, entry]) => /^(0|[1-9]\d*)$/.test(key) || hasIntegerLikeKey(entry));
}
