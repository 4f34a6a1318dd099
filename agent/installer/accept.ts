/** Is a proven package the one that the notice promised, and is it for this gateway? Asked before a byte of its payload is unpacked. */
import { createHash } from 'node:crypto';
import satisfies from 'semver/functions/satisfies.js';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { InstallOrder } from './messages.ts';

/** @throws TsugiteError PKG_NOTICE_MISMATCH · PKG_WRONG_MODEL · REQUIREMENT_UNMET · SIZE_OVER_LIMIT */
export function accept(manifest: Manifest, envelopeBytes: Uint8Array, order: InstallOrder): void {
  const { expected } = order;
  const pairs: [field: string, expected: unknown, found: unknown][] = [
    ['manifestSha256', expected.manifestSha256, createHash('sha256').update(envelopeBytes).digest('hex')],
    ['software', expected.software, manifest.software],
    ['version', expected.version, manifest.version],
    ['provider', expected.provider, manifest.provider],
    ['installedBytes', expected.installedBytes, manifest.payload.installedBytes],
  ];
  for (const [field, wanted, found] of pairs) {
    if (wanted !== found) throw new TsugiteError('PKG_NOTICE_MISMATCH', { field, expected: wanted, found });
  }
  const models: readonly string[] = manifest.models;
  if (!models.includes('*') && !models.includes(expected.model))
    throw new TsugiteError('PKG_WRONG_MODEL', { model: expected.model, expected: models.join(', '), found: expected.model });
  const unmet = findUnmet(manifest.requires, order);
  if (unmet) throw new TsugiteError('REQUIREMENT_UNMET', unmet);
  const actual = manifest.payload.installedBytes;
  if (actual >= order.limitInstalledBytes) throw new TsugiteError('SIZE_OVER_LIMIT', { limit: order.limitInstalledBytes, actual });
}

function findUnmet(
  requires: Manifest['requires'],
  { host, expected }: InstallOrder,
): { what: string; expected: string; found: string } | undefined {
  if (!satisfies(host.agent, requires.agent)) return { what: 'agent', expected: requires.agent, found: host.agent };
  if (requires.node !== undefined && !satisfies(host.node, requires.node))
    return { what: 'node', expected: requires.node, found: host.node };
  const arch: readonly string[] | undefined = requires.arch;
  if (arch && !arch.includes(host.arch)) return { what: 'arch', expected: arch.join(', '), found: host.arch };
  // Fields of fixed width: their order is the order of the text.
  const { minFirmware } = requires;
  if (minFirmware !== undefined && expected.firmware < minFirmware)
    return { what: 'firmware', expected: minFirmware, found: expected.firmware };
  return undefined;
}
