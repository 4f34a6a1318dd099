/** When an app counts as started: it said so, or it answers. */

import type { ClientRequest } from 'node:http';
import type { AppExit, AppSpec, Cancel, Clock, Readiness } from '../../ports.ts';
import { isThrashing, lastLookMs, type MemorySample } from '../../rules/thrashing.ts';
import { requestApp } from '../app-socket.ts';

export type ReadinessSources = {
  saidReady: Promise<void>;
  exited: Promise<AppExit>;
  webSocketPath: string;
  pressure: () => Omit<MemorySample, 'atMs'>;
};

/** An app is rarely there at once: before it listens we look this often, afterwards at the manifest's pace. */
const notListeningMs = 50;

/** Its end could not be established; whoever waits for `exited` is told why. */
const unknownExit: AppExit = { status: null, signal: null, outOfMemory: false, memoryPeakBytes: 0 };

export async function awaitReadiness(health: AppSpec['health'], clock: Clock, sources: ReadinessSources): Promise<Readiness> {
  let isOver = false;
  let cancels: readonly Cancel[] = [];
  const sample = (): MemorySample => ({ ...sources.pressure(), atMs: clock.monotonicMs() });
  const timeout = new Promise<Readiness>((resolve) => {
    const timeoutMs = health.timeoutS * 1000;
    let before = sample();
    cancels = [
      clock.after(Math.max(0, timeoutMs - lastLookMs), () => {
        before = sample();
      }),
      clock.after(timeoutMs, () => resolve({ kind: 'timeout', isThrashing: isThrashing(before, sample()) })),
    ];
  });
  const isGood =
    health.kind === 'ready'
      ? sources.saidReady
      : untilHealthy(sources.webSocketPath, health.path, health.intervalS * 1000, clock, () => isOver);
  try {
    return await Promise.race([
      timeout,
      isGood.then((): Readiness => ({ kind: 'ready' })),
      sources.exited.catch(() => unknownExit).then((exit): Readiness => ({ kind: 'exited', exit })),
    ]);
  } finally {
    isOver = true;
    for (const cancel of cancels) cancel();
  }
}

async function untilHealthy(webSocketPath: string, path: string, intervalMs: number, clock: Clock, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const found = await probe(webSocketPath, path, intervalMs);
    if (found === 'healthy') return;
    await new Promise<void>((resolve) => {
      clock.after(found === 'not-listening' ? notListeningMs : intervalMs, resolve);
    });
  }
}

async function probe(webSocketPath: string, path: string, timeoutMs: number): Promise<'healthy' | 'unhealthy' | 'not-listening'> {
  let asked: ClientRequest;
  try {
    asked = requestApp(webSocketPath, { path, method: 'GET', timeout: timeoutMs, headers: { host: 'localhost' } });
  } catch {
    return 'not-listening';
  }
  const isHealthy = await new Promise<boolean>((resolve) => {
    const end = (answer: boolean) => {
      asked.destroy(); // the body is of no interest, and may be endless
      resolve(answer);
    };
    asked.once('response', ({ statusCode = 0 }) => end(statusCode >= 200 && statusCode < 400));
    asked.once('timeout', () => end(false));
    asked.on('error', () => end(false));
    asked.end();
  });
  return isHealthy ? 'healthy' : 'unhealthy';
}
