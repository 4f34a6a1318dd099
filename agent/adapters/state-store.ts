import { join } from 'node:path';
import * as z from 'zod/mini';
import { type ErrorCode, isErrorCode, type TsugiteError } from '../../protocol/errors.ts';
import { digest, gatewayId, providerId, randomId, softwareId, utcTime, version } from '../../protocol/fields.ts';
import { deploymentState } from '../../protocol/messages/report.ts';
import { softwareState } from '../../protocol/messages/status.ts';
import { manifestSchema } from '../../protocol/statements/manifest.ts';
import { grants, runLimits, target } from '../../protocol/statements/notice.ts';
import type { StateStore } from '../ports/disk.ts';
import type { AgentState } from '../rules/agent-state.ts';
import { makeJsonDocument } from './json-document.ts';

const count = z.int().check(z.nonnegative());
const fault = z.strictObject({
  code: z.pipe(
    z.string().check(z.refine(isErrorCode, 'unknown error code')),
    z.transform((code) => code as ErrorCode),
  ),
  detail: z.record(z.string(), z.unknown()),
});
const signer = z.strictObject({ issuer: z.string(), serial: z.string(), organisation: z.string(), notAfterMs: z.number() });
const verified = { manifest: manifestSchema, signer };
const installed = z.strictObject({ ...verified, version, sha256: digest, attempt: count, committedAt: utcTime });
const ended = z.strictObject({
  sha256: digest,
  attempt: count,
  version,
  state: z.enum(['rejected', 'failed', 'rolled-back', 'stuck']),
  beforeDownload: z.boolean(),
  fault,
  at: utcTime,
  powerCuts: count,
});
const record = z.strictObject({
  target: randomId,
  software: softwareId,
  provider: providerId,
  uid: count,
  terms: z.strictObject({ entitledUntil: utcTime, limits: runLimits, grants, graceUntil: z.nullable(utcTime) }),
  committed: z.nullable(installed),
  previous: z.nullable(digest),
  ended: z.array(ended),
  trouble: z.nullable(z.strictObject({ ...fault.shape, at: utcTime })),
  orphanReported: z.boolean(),
  shown: z.strictObject({ state: softwareState, at: utcTime, fault: z.nullable(fault) }),
});
const deployment = z.strictObject({
  id: randomId,
  wish: target,
  state: deploymentState,
  startedAt: utcTime,
  restarts: count,
  wrongDigests: count,
  downloadTries: count,
  verified: z.nullable(z.strictObject(verified)),
  dataSaved: z.boolean(),
  fault: z.nullable(fault),
});
const state = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  records: z.array(record),
  deployments: z.array(deployment),
  closedRemovals: z.array(randomId),
  purging: z.nullable(
    z.strictObject({
      target: randomId,
      software: softwareId,
      provider: providerId,
      reason: z.enum(['cancelled', 'prohibited', 'withdrawn', 'household', 'replaced', 'other-target', 'grace-over', 'other-identity']),
    }),
  ),
  answeredRequests: z.array(randomId),
});

/** `<data>/state.json`. */
export function makeStateStore(dataDir: string, onDamage?: (error: TsugiteError) => void): StateStore {
  return makeJsonDocument<AgentState>(
    join(dataDir, 'state.json'),
    (value) => state.parse(value),
    onDamage === undefined ? {} : { onDamage },
  );
}
