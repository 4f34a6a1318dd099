import { readFileSync } from 'node:fs';
import { TsugiteError } from '../../protocol/errors.ts';
import { systemClock as clock } from '../adapters/clock.ts';
import { makeEstClient } from '../adapters/est-client.ts';
import { makeFolderLock } from '../adapters/folder-lock.ts';
import { makeHousehold } from '../adapters/household.ts';
import { makeHttpsClient } from '../adapters/https-client.ts';
import { makeIdentityStore } from '../adapters/identity-store.ts';
import { makeLedgerStore } from '../adapters/ledger-store.ts';
import { makeTrustStore } from '../adapters/trust-store.ts';
import type { AgentConfig } from '../config.ts';
import { type Enrolled, makeEnroll } from '../flows/enroll.ts';
import { makeKeepLedger } from '../flows/keep-ledger.ts';
import { defaultBudget } from '../rules/ledger.ts';
import { networkFaultOf } from '../rules/network-fault.ts';
import * as wireModel from '../rules/wire-model.ts';
import { openLog } from './disk.ts';

/** @throws TsugiteError FILE_UNREADABLE · ALREADY_RUNNING · what the flow throws */
export async function enroll(dataDir: string, config: AgentConfig, invitationPath: string): Promise<Enrolled> {
  const invitation = readInvitation(invitationPath);
  const { log, onDamage } = openLog(dataDir, config);
  const lock = makeFolderLock(dataDir);
  await lock.take();
  try {
    const nowMs = () => clock.wallMs();
    const ledger = makeKeepLedger({ store: makeLedgerStore(dataDir), clock, log, nowMs, budget: () => defaultBudget });
    const est = makeEstClient({ https: makeHttpsClient({ clock, ledger, wireModel, networkFaultOf }) });
    const [identities, trust, household] = [makeIdentityStore(dataDir), makeTrustStore(dataDir, onDamage), makeHousehold(dataDir)];
    const enrolled = await makeEnroll({ est, identities, trust, household, log })(invitation);
    ledger.save();
    return enrolled;
  } finally {
    lock.release();
    log.close();
  }
}

function readInvitation(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  }
}
