/**
 * The home network of software that was given it: made before its start, counted while it runs, gone with it. What may pass, and each command, is
 * decided in rules/app-network.ts and rules/app-firewall.ts.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { AppNetworkNews, Cancel, Clock } from '../../ports.ts';
import type { Fault } from '../../rules/agent-state.ts';
import { appRuleset, guardRuleset, readDenied } from '../../rules/app-firewall.ts';
import {
  appTable,
  guardTable,
  layCable,
  leftoverPorts,
  leftoverTables,
  type NetworkWish,
  plugIn,
  portName,
  setUpInside,
  slotOf,
} from '../../rules/app-network.ts';
import { type AddressPool, addressesFor, type HomeNetwork, isTakenByOther, readHomeNetwork } from '../../rules/home-network.ts';
import { ip, ipBatch, type NetNamespace, nft, nftLoad, openNamespace } from './net-tools.ts';

export type LanSettings = {
  /** The gateway's bridge of the home network. */
  readonly bridge: string;
  readonly pool: AddressPool;
  /** Six characters that no other agent of the machine has: they begin the names of what we make in the gateway's namespace. */
  readonly tag: string;
};

export type AppNetwork = {
  /** Enter it before the sandbox is made; undefined when not even an empty one could be made. */
  readonly namespacePath: string | undefined;
  news(): Promise<AppNetworkNews>;
  /** After the software's last process. What was counted until then is still told. */
  close(): Promise<void>;
};
export type AppNetworks = {
  /**
   * Joins software to the home network. Where that cannot be done it starts without any network, `news` says why, and it is tried again until it
   * can: after a power cut the agent may be up before the bridge.
   */
  open(wish: NetworkWish): Promise<AppNetwork>;
  /** Ports and tables of an earlier run; namespaces leave nothing. */
  removeLeftovers(): Promise<void>;
};

const againAfterMs = 30_000;
/** An answer in the home takes a few milliseconds, from a sleeping wireless device more. */
const conflictProbeMs = 300;
const conflictPollMs = 50;
const addressesTried = 8;

export function makeAppNetworks(settings: LanSettings, clock: Clock): AppNetworks {
  /** Addresses in use, and the namespaces whose rules must know them, by uid. */
  const joined = new Map<number, { address: string; namespacePath: string }>();
  const oneByOne = makeQueue();

  async function join(wish: NetworkWish, namespacePath: string): Promise<string> {
    const port = portName(settings.tag, wish.uid);
    const home = readHomeNetwork(await ip('-o', '-4', 'addr', 'show'), settings.bridge);
    if (home === undefined) throw new TsugiteError('APP_LAN_UNAVAILABLE', { kind: 'no-bridge', bridge: settings.bridge });
    const others = [...joined.values()].map(({ address }) => address);
    const address = await findAddress(home, settings.pool, slotOf(wish.uid), others);
    await leave(port);
    try {
      // Each wall stands before what it guards: the rules before the cable, the guard before the plug.
      await nftLoad(`${emptied(appTable)}${appRuleset({ wish, home, address, others })}`, namespacePath);
      await ipBatch(layCable(port, address, namespacePath));
      await nftLoad(guardRuleset(port, address));
      await ipBatch(plugIn(port, settings.bridge));
      await ipBatch(setUpInside(address, home), namespacePath);
      await tellOthers('add', address);
    } catch (cause) {
      await leave(port);
      await tellOthers('delete', address).catch(() => {});
      throw cause;
    }
    joined.set(wish.uid, { address, namespacePath });
    return address;
  }

  async function tellOthers(verb: 'add' | 'delete', address: string): Promise<void> {
    for (const other of joined.values())
      await nft([verb, 'element', 'inet', appTable, 'other_apps', `{ ${address} }`], other.namespacePath);
  }

  return {
    async open(wish) {
      let namespace: NetNamespace;
      try {
        namespace = await openNamespace();
      } catch (error) {
        const fault = faultOf(error);
        return { namespacePath: undefined, news: async () => ({ fault, denied: [] }), close: async () => {} };
      }
      let isClosed = false;
      let state: { address: string; isFiltered?: true } | { fault: Fault } | undefined;
      let last: AppNetworkNews['denied'] = [];
      let cancelAgain: Cancel = () => {};

      const tryToJoin = () =>
        oneByOne(async () => {
          if (isClosed) return;
          try {
            state = { address: await join(wish, namespace.path), ...(isBridgeFiltered() && { isFiltered: true }) };
          } catch (error) {
            state = { fault: faultOf(error) };
            cancelAgain = clock.after(againAfterMs, () => void tryToJoin());
          }
        });
      const count = async () => {
        if (state !== undefined && 'address' in state)
          last = readDenied(await nft(['list', 'counters', 'table', 'inet', appTable], namespace.path), wish);
      };
      await tryToJoin();

      return {
        namespacePath: namespace.path,
        async news() {
          // A reading that fails is made up by the next one: the counters go on.
          if (!isClosed) await count().catch(() => {});
          return { ...state, denied: last };
        },
        close: () =>
          oneByOne(async () => {
            if (isClosed) return;
            isClosed = true;
            cancelAgain();
            await count().catch(() => {});
            const own = joined.get(wish.uid);
            if (own?.namespacePath === namespace.path) {
              joined.delete(wish.uid);
              await leave(portName(settings.tag, wish.uid));
              await tellOthers('delete', own.address).catch(() => {});
            }
            namespace.close();
          }),
      };
    },
    removeLeftovers: () =>
      oneByOne(async () => {
        // A machine that cannot even list them has none.
        for (const port of leftoverPorts(await ip('-o', 'link', 'show').catch(() => ''), settings.tag)) await leave(port);
        for (const table of leftoverTables(await nft(['list', 'tables', 'bridge']).catch(() => ''), settings.tag))
          await nft(['delete', 'table', 'bridge', table]);
      }),
  };
}

/** Unplugs and forgets; also what is there only in part, or not at all. */
async function leave(port: string): Promise<void> {
  await ip('link', 'del', port).catch(() => {}); // the other end goes with it
  await nft(['delete', 'table', 'bridge', guardTable(port)]).catch(() => {});
}

/** So that the rules can be loaded twice. */
function emptied(table: string): string {
  return `table inet ${table}\ndelete table inet ${table}\n`;
}

/**
 * The first address of the row that nobody in the home answers to (as RFC 5227 §2.1 asks, but once and from the gateway's own address: the kernel
 * asks by ARP when the neighbour table is told that the address will be used).
 */
async function findAddress(home: HomeNetwork, pool: AddressPool, slot: number, taken: readonly string[]): Promise<string> {
  for (const address of addressesFor(home, pool, slot, taken).slice(0, addressesTried))
    if (!(await isTaken(address, home.bridge))) return address;
  throw new TsugiteError('APP_LAN_UNAVAILABLE', { kind: 'no-free-address', bridge: home.bridge, pool: [pool.from, pool.to].join('-') });
}

async function isTaken(address: string, bridge: string): Promise<boolean> {
  await ip('neigh', 'del', address, 'dev', bridge).catch(() => {}); // what was known may be long gone
  await ip('neigh', 'replace', address, 'dev', bridge, 'use');
  try {
    for (let waitedMs = 0; waitedMs < conflictProbeMs; waitedMs += conflictPollMs) {
      await delay(conflictPollMs);
      if (isTakenByOther(await ip('neigh', 'show', 'to', address, 'dev', bridge), address)) return true;
    }
    return false;
  } finally {
    await ip('neigh', 'del', address, 'dev', bridge).catch(() => {});
  }
}

/** The kernel's br_netfilter, of this network namespace. */
function isBridgeFiltered(): boolean {
  try {
    return readFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').trim() === '1';
  } catch {
    return false; // not in this kernel
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof TsugiteError) return { code: error.code, detail: error.detail };
  return { code: 'APP_LAN_UNAVAILABLE', detail: { kind: 'refused', at: String(error) } };
}

/** Two programs that choose an address at once would choose the same. */
function makeQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return <Value>(job: () => Promise<Value>): Promise<Value> => {
    const mine = last.then(job);
    last = mine.catch(() => {});
    return mine;
  };
}
