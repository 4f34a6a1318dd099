/**
 * The installer child: the only program of the gateway that reads foreign bytes. Started for one package, in a sandbox without network, with the
 * package as an open file and one empty folder; it says in one line what it found, and ends.
 */
import { readFileSync, readSync } from 'node:fs';
import { TsugiteError } from '../../protocol/errors.ts';
import { readEnvelopeBytes } from '../../protocol/package/tsg.ts';
import { verifyPackage } from '../../protocol/package/verify-package.ts';
import { accept } from './accept.ts';
import { answerBytes, type InstallAnswer, installOrder, orderBytes, packageDescriptor } from './messages.ts';
import { makeStagingSink } from './staging-sink.ts';

const stagingInside = '/staging';

async function install(): Promise<InstallAnswer> {
  const line = readFileSync(0);
  if (line.length > orderBytes) throw new TsugiteError('INSTALLER_FAILED', { kind: 'order-too-large' });
  const order = installOrder.parse(JSON.parse(line.toString('utf8')));
  const { manifest, signer } = await verifyPackage(
    { readAt, storedBytes: order.storedBytes },
    order.trust,
    makeStagingSink(stagingInside),
    {
      accept: (opened) => accept(opened.manifest, readEnvelopeBytes(readAt, opened.layout), order),
    },
  );
  return {
    ok: true,
    manifest,
    signer: {
      issuer: signer.issuerKeyid,
      serial: signer.serial,
      organisation: signer.organisation,
      notAfterMs: Date.parse(signer.notAfter),
    },
  };
}

/** By place, never by the descriptor's own position, which is shared with the agent. */
function readAt(offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(packageDescriptor, bytes, filled, length - filled, offset + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}

function toRefusal(error: unknown): InstallAnswer {
  if (!(error instanceof TsugiteError)) throw error; // a fault of ours: the agent reports what stands on standard error
  return { ok: false, code: error.code, detail: error.detail };
}

process.umask(0o022); // the agent's own may be stricter, and apps of other uids read what is written here
const answer = JSON.stringify(await install().catch(toRefusal));
const isTooLong = Buffer.byteLength(answer) >= answerBytes;
process.stdout.write(isTooLong ? '{"ok":false,"code":"INSTALLER_FAILED","detail":{"kind":"answer-too-large"}}\n' : `${answer}\n`);
