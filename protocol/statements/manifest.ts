/** Manifest: what a package is and asks for, signed by its provider (DESIGN §5). */
import * as z from 'zod/mini';
import {
  between,
  count,
  dateOnly,
  digest,
  ext,
  firmware,
  httpsUrl,
  inBothLanguages,
  lanPermission,
  line,
  modelName,
  positive,
  providerId,
  softwareId,
  version,
  wanPermission,
  webPrefix,
} from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

export const manifestType = 'application/vnd.tsugite.manifest+json';

const pagePath = z.string().check(z.regex(/^\/[^\s?#]*$/), z.maxLength(200));
const semverRange = z.string().check(z.minLength(1), z.maxLength(100));

/** Shown to the household before and after installation (DOMAIN D-34); Japanese. */
export const customerInformation = z.strictObject({
  description: line(1000).check(z.minLength(1)),
  price: line(1000).check(z.minLength(1)),
  /** D-30: nobody promises a lead time but the provider, software by software (「事業者を確認してください」). */
  leadTimeDays: between(0, 365),
  contact: line(1000).check(z.minLength(1)),
  termsUrl: httpsUrl,
});

export const permissions = z.strictObject({
  lan: z.array(lanPermission).check(z.maxLength(16)),
  wan: z.array(wanPermission).check(z.maxLength(32)),
  telemetry: z.boolean(),
});

export const health = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready'), timeoutS: between(1, 600) }),
  z.strictObject({ kind: z.literal('http'), path: pagePath, intervalS: between(1, 60), timeoutS: between(1, 600) }),
]);

export type Manifest = z.infer<typeof manifestSchema>;
export const manifestSchema = z
  .strictObject({
    v: z.literal(1),
    software: softwareId,
    version,
    minVersion: z.optional(version),
    provider: providerId,
    title: inBothLanguages(100),
    customer: customerInformation,
    models: z.union([z.array(modelName).check(z.minLength(1), z.maxLength(64)), z.tuple([z.literal('*')])]),
    requires: z.strictObject({
      agent: semverRange,
      node: z.optional(semverRange),
      arch: z.optional(z.array(z.enum(['x64', 'arm64'])).check(z.minLength(1), z.maxLength(2))),
      minFirmware: z.optional(firmware),
    }),
    payload: z.strictObject({
      sha256: digest,
      tarBytes: positive,
      installedBytes: positive,
      files: between(1, limits.filesPerPackage),
      encoding: z.enum(['br', 'gz']),
    }),
    entry: z.strictObject({
      runtime: z.enum(['node', 'exec']),
      args: z.tuple([entryPath()], line(1000)).check(z.maxLength(64)),
    }),
    web: z.optional(z.strictObject({ prefix: webPrefix, main: z.optional(pagePath) })),
    permissions,
    transmits: z.optional(
      z
        .array(z.strictObject({ what: inBothLanguages(200), to: line(200), purpose: inBothLanguages(200) }))
        .check(z.minLength(1), z.maxLength(32)),
    ),
    resources: z.strictObject({ memoryBytes: positive, cpuPercent: between(1, 100), pids: between(1, 256), dataBytes: count }),
    health,
    data: z.strictObject({ format: positive }),
    security: z.optional(z.boolean()),
    supportUntil: z.optional(dateOnly),
    ext: z.optional(ext),
  })
  .check(
    // 外部送信: what leaves the home must be told to the household (DOMAIN §12).
    z.refine((manifest) => manifest.transmits !== undefined || (manifest.permissions.wan.length === 0 && !manifest.permissions.telemetry), {
      message: 'required with permissions.wan or permissions.telemetry',
      path: ['transmits'],
    }),
  );

/** A relative path below /app: no `..`, no empty part, no backslash. That the payload holds it is checked while unpacking. */
function entryPath() {
  return z.string().check(
    z.maxLength(limits.nameBytes),
    z.refine(
      (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..') && !path.includes('\\'),
      'not a relative path below /app',
    ),
  );
}

/** @throws TsugiteError STATEMENT_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE */
export function parseManifest(payload: Uint8Array): Manifest {
  return readMessage(payload, { schema: manifestSchema, capBytes: limits.payloadBytes, what: 'manifest', code: 'STATEMENT_MALFORMED' });
}
