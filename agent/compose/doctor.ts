/** `doctor` tries things for itself: it works beside a running agent, with a stopped one, and with the line down. */
import { createHash, X509Certificate } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { findImageFault } from '../adapters/app-data/image-tools.ts';
import { systemClock as clock } from '../adapters/clock.ts';
import { makeDisk } from '../adapters/disk.ts';
import { isLocked } from '../adapters/folder-lock.ts';
import { makeIdentityStore } from '../adapters/identity-store.ts';
import { probeSandbox } from '../adapters/sandbox/probe.ts';
import { makeSandboxHost } from '../adapters/sandbox/sandbox-host.ts';
import { resolveName, tryTls } from '../adapters/server-probe.ts';
import { makeStateStore } from '../adapters/state-store.ts';
import { loadConfig } from '../config.ts';
import { faultOf } from '../flows/supervise.ts';
import type { Identity } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import {
  type Check,
  type DoctorRow,
  type Facts,
  judgeCertificate,
  judgeClock,
  judgeDisk,
  judgeLedger,
  judgeNotice,
  judgeRoot,
  rowOf,
} from '../rules/doctor.ts';
import { openTrustToRead, readMonth, readRefused } from './inspect.ts';

type Finding = { facts?: Facts; fault?: Fault | null };

export async function examine(dataDir: string, { configFile }: { configFile: string | undefined }): Promise<DoctorRow[]> {
  const rows: DoctorRow[] = [];
  /** What a look throws is its finding: one broken thing must not hide the others. */
  async function look(check: Check, at: () => Finding | Promise<Finding>): Promise<void> {
    let found: Finding;
    try {
      found = await at();
    } catch (error) {
      found = { fault: faultOf(error) };
    }
    rows.push(rowOf({ check, facts: found.facts ?? {}, fault: found.fault ?? null }));
  }

  await look('running', async () => ((await isLocked(dataDir)) ? {} : { fault: { code: 'AGENT_NOT_RUNNING', detail: { path: dataDir } } }));
  await look('folder', () => lookAtFolder(dataDir, configFile));
  // Nothing that lies in a folder which cannot be read is worth a row of its own.
  if (rows.at(-1)?.ok === false && rows.at(-1)?.reason?.code === 'FILE_UNREADABLE') return rows;
  await look('disk', () => {
    const freeBytes = makeDisk(dataDir).freeBytes();
    return { facts: { freeBytes }, fault: judgeDisk(freeBytes) };
  });
  await look('sandbox', lookAtSandbox);

  let identity: Identity | undefined;
  await look('enrolled', () => {
    identity = makeIdentityStore(dataDir).load();
    return identity === undefined ? { fault: { code: 'NOT_ENROLLED', detail: {} } } : { facts: { gateway: identity.gateway } };
  });
  if (identity === undefined) return rows;
  const own = identity;

  let nowMs = clock.wallMs();
  await look('clock', () => {
    const trust = openTrustToRead(dataDir);
    nowMs = trust.nowMs();
    return {
      facts: { trusted: new Date(nowMs).toISOString(), wall: new Date(clock.wallMs()).toISOString() },
      fault: judgeClock(trust.wall()),
    };
  });
  await look('certificate', () => {
    const { validFrom, validTo } = new X509Certificate(own.certificatePem);
    const fault = judgeCertificate({ notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) }, nowMs);
    return { facts: { notAfter: new Date(validTo).toISOString() }, fault };
  });
  await look('root', () => {
    const { version, expires } = openTrustToRead(dataDir).root();
    return { facts: { version, expires }, fault: judgeRoot({ version, expires }, nowMs) };
  });
  await look('notice', () => {
    const notice = openTrustToRead(dataDir).notice();
    return {
      facts: notice === null ? {} : { version: notice.version, issuedAt: notice.issuedAt },
      fault: judgeNotice(notice, readRefused(dataDir), nowMs),
    };
  });
  await look('ledger', () => {
    const { usedBytes, ceilingBytes } = readMonth(dataDir, openTrustToRead(dataDir));
    return { facts: { usedBytes, ceilingBytes }, fault: judgeLedger(usedBytes, ceilingBytes) };
  });
  await lookAtServer(own, look);
  return rows;
}

function lookAtFolder(dataDir: string, configFile: string | undefined): Finding {
  const mode = statFolder(dataDir);
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path: dataDir }, { cause });
  }
  makeStateStore(dataDir).load();
  if (configFile !== undefined) loadConfig(configFile);
  return { facts: { path: dataDir, mode } };
}

function statFolder(dataDir: string): string {
  try {
    return (statSync(dataDir).mode & 0o7777).toString(8);
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path: dataDir }, { cause });
  }
}

/** In a folder and a control group of its own, so that a running agent is left alone. */
async function lookAtSandbox(): Promise<Finding> {
  if (process.getuid?.() !== 0) throw new TsugiteError('PRIVILEGE_MISSING', { action: 'doctor' });
  const runDir = mkdtempSync(join(tmpdir(), 'tsugite-doctor-'));
  const cgroupParent = `tsugite-doctor-${createHash('sha256').update(runDir).digest('hex').slice(0, 16)}`;
  const host = makeSandboxHost({ runDir, cgroupParent });
  try {
    const { backend, cgroup } = await probeSandbox(host);
    // Without images the agent counts for itself: the software runs all the same, so it is a fact and no fault.
    const data = (await findImageFault(runDir)) === undefined ? 'image' : 'folder';
    return { facts: { backend, cgroup, data } };
  } finally {
    host.close();
    rmSync(runDir, { recursive: true, force: true });
  }
}

async function lookAtServer(identity: Identity, look: (check: Check, at: () => Promise<Finding>) => Promise<void>): Promise<void> {
  const https = new URL(identity.https);
  const mqtt = new URL(identity.mqtt.replace(/^mqtts:/, 'https:'));
  const addressOf = ({ hostname, port }: URL) => ({ hostname: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 443 });
  await look('name', async () => ({
    facts: { name: https.hostname, addresses: (await resolveName(addressOf(https).hostname)).join(' ') },
  }));
  await look('https', async () => ({ facts: { at: https.host, ...(await tryTls(addressOf(https), identity)) } }));
  await look('mqtt', async () => ({ facts: { at: mqtt.host, ...(await tryTls(addressOf(mqtt), identity)) } }));
}
