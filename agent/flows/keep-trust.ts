import { createHash } from 'node:crypto';
import { parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { type Digest, digest, toUtcTime, type UtcTime } from '../../protocol/fields.ts';
import { type Notice, noticeType, parseNotice } from '../../protocol/statements/notice.ts';
import { keysOfRole, type Root } from '../../protocol/statements/root.ts';
import type { NoticeMemory, TrustStore } from '../ports/disk.ts';
import type { Clock, EventLog } from '../ports.ts';
import {
  advance,
  type ClockFloor,
  forgetNotices,
  judgeWall,
  provenMs,
  raiseByNotice,
  raiseByRoot,
  startFloor,
  trustedMs,
} from '../rules/clock.ts';
import type { NoticeMark } from '../rules/notice.ts';
import { losesNoticeKey, verifyFirstRoot, verifyNextRoot } from '../rules/root.ts';
import type { VersionFloor } from '../rules/version-floors.ts';

export type Trust = {
  root(): Root;
  /** In force; null before the first, and after its key was withdrawn. */
  notice(): Notice | null;
  mark(): NoticeMark | null;
  appliedAt(): UtcTime | null;
  nowMs(): number;
  provenMs(): number;
  wall(): ReturnType<typeof judgeWall>;
  versionFloors(): readonly VersionFloor[];
  saveVersionFloors(floors: readonly VersionFloor[]): void;
  /** Saves the successor of the present root. @throws as `verifyNextRoot` */
  acceptRoot(envelope: Buffer): Root;
  /** Proves an envelope to be a notice of the present root's keys. @throws as `verifyEnvelope` and `parseNotice` */
  verifyNotice(envelope: Buffer): Notice;
  /** Saves a verified notice as the one in force. */
  applyNotice(envelope: Buffer, notice: Notice): void;
  /** To be called every hour: what has passed since start stands through a power cut. */
  saveClock(): void;
};

/**
 * Holds what was proven: root, notice, trusted time. What it says is on disk before it is said.
 *
 * @throws TsugiteError NOT_ENROLLED when no root was ever pinned here
 */
export function makeKeepTrust({
  store,
  clock,
  log,
  builtAtMs,
}: {
  store: TrustStore;
  clock: Clock;
  log: EventLog;
  builtAtMs: number;
}): Trust {
  const chain = loadChain(store, log);
  let root = chain.root;
  let memory = loadNoticeMemory(store, chain);
  let notice = loadNotice(memory, root);
  let floor = loadFloor();
  let floorAtMs = clock.monotonicMs();
  save();

  function loadFloor(): ClockFloor {
    const saved = store.loadClock();
    const kept =
      saved === undefined || hasLostKey(chain, saved.rootVersion) ? forgetNotices(saved?.floor ?? { rootMs: 0, noticeMs: 0 }) : saved.floor;
    const raised = raiseByRoot(startFloor(kept, builtAtMs), Date.parse(root.issuedAt));
    return notice === null ? raised : raiseByNotice(raised, Date.parse(notice.issuedAt));
  }

  function floorNow(): ClockFloor {
    return advance(floor, clock.monotonicMs() - floorAtMs);
  }

  function setFloor(next: ClockFloor): void {
    floor = next;
    floorAtMs = clock.monotonicMs();
  }

  function save(): void {
    store.saveNotice(memory);
    store.saveClock({ rootVersion: root.version, floor });
  }

  return {
    root: () => root,
    notice: () => notice,
    mark: () => memory.mark,
    appliedAt: () => memory.appliedAt,
    nowMs: () => trustedMs(floorNow(), clock.wallMs()),
    provenMs: () => provenMs(floorNow()),
    wall: () => judgeWall(floorNow(), clock.wallMs()),
    versionFloors: () => store.loadVersionFloors(),
    saveVersionFloors: (floors) => store.saveVersionFloors(floors),
    acceptRoot(envelope) {
      const next = verifyNextRoot(root, parseEnvelope(envelope));
      const isKeyLost = losesNoticeKey(root, next);
      // The root first: were the power cut here, loading finds that the memory is older than the root and forgets then.
      store.saveRoot(next.version, envelope);
      root = next;
      memory = { ...(isKeyLost ? { ...memory, mark: null } : memory), rootVersion: root.version };
      notice = loadNotice(memory, root);
      if (notice === null) memory = { ...memory, envelope: null, appliedAt: null };
      setFloor(raiseByRoot(isKeyLost ? forgetNotices(floorNow()) : floorNow(), Date.parse(root.issuedAt)));
      save();
      if (isKeyLost) log.write({ event: 'root.notice_key_lost', detail: { version: root.version } });
      return root;
    },
    verifyNotice: (envelope) => verifyNotice(envelope, root),
    applyNotice(envelope, applied) {
      const next: NoticeMemory = {
        rootVersion: root.version,
        mark: { version: applied.version, sha256: digestOf(envelope) },
        envelope: envelope.toString('base64'),
        appliedAt: toUtcTime(trustedMs(floorNow(), clock.wallMs())),
      };
      store.saveNotice(next);
      memory = next;
      notice = applied;
      setFloor(raiseByNotice(floorNow(), Date.parse(applied.issuedAt)));
      store.saveClock({ rootVersion: root.version, floor });
    },
    saveClock() {
      setFloor(floorNow());
      store.saveClock({ rootVersion: root.version, floor });
    },
  };
}

export function digestOf(bytes: Uint8Array): Digest {
  return digest.parse(createHash('sha256').update(bytes).digest('hex'));
}

type Chain = { root: Root; roots: ReadonlyMap<number, Root> };

/** The newest of our own roots that can be read: a flash cell that forgot one must not end all trust. */
function loadChain(store: TrustStore, log: EventLog): Chain {
  const roots = new Map<number, Root>();
  for (const [version, bytes] of store.loadRoots()) {
    try {
      roots.set(version, verifyFirstRoot(parseEnvelope(bytes)));
    } catch (error) {
      log.write({ event: 'state.damaged', code: 'STATE_DAMAGED', detail: { path: `trust/root.${version}.json`, at: String(error) } });
    }
  }
  const root = roots.get(Math.max(...roots.keys()));
  if (root === undefined) throw new TsugiteError('NOT_ENROLLED');
  return { root, roots };
}

function hasLostKey({ root, roots }: Chain, sinceVersion: number): boolean {
  for (let version = sinceVersion; version < root.version; version++) {
    const [before, after] = [roots.get(version), roots.get(version + 1)];
    if (before !== undefined && after !== undefined && losesNoticeKey(before, after)) return true;
  }
  return false;
}

function loadNoticeMemory(store: TrustStore, chain: Chain): NoticeMemory {
  const saved = store.loadNotice();
  const rootVersion = chain.root.version;
  if (saved === undefined) return { rootVersion, mark: null, envelope: null, appliedAt: null };
  return { ...saved, rootVersion, mark: hasLostKey(chain, saved.rootVersion) ? null : saved.mark };
}

/** The saved notice, proven anew by today's root: one whose key was withdrawn is not believed any more. */
function loadNotice(memory: NoticeMemory, root: Root): Notice | null {
  if (memory.envelope === null) return null;
  try {
    return verifyNotice(Buffer.from(memory.envelope, 'base64'), root);
  } catch {
    return null;
  }
}

function verifyNotice(bytes: Buffer, root: Root): Notice {
  return parseNotice(verifyEnvelope(parseEnvelope(bytes), noticeType, keysOfRole(root, 'notice'), root.roles.notice.threshold));
}
