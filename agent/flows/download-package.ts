import { assertNever } from '../../protocol/assert-never.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { packageUrl } from '../../protocol/routes.ts';
import type { HttpsAnswer, HttpsClient, PartFile, PartFiles, PartNote, TlsTrust } from '../ports/network.ts';
import type { Clock, DownloadRequest, EventLog, PackageDownload, Random } from '../ports.ts';
import { jitteredDelayMs } from '../rules/back-off.ts';
import { type AnswerDecision, dayOf, decideAnswer, downloadPolicy, isDaySpent, noteOfDay } from '../rules/download.ts';

type Needs = {
  https: HttpsClient;
  parts: PartFiles;
  clock: Clock;
  random: Random;
  log: EventLog;
  /** Our certificate is for the enrolment server alone: another host would learn which gateway asks. */
  trustFor: (base: string) => TlsTrust;
};

type Outcome =
  | { kind: 'done' }
  | { kind: 'again'; error: TsugiteError }
  | { kind: 'refused'; status: number }
  | { kind: 'wrong'; found: string; isMixed: boolean };

/** Fetches one package, whole or from where an earlier try stopped, and believes nothing but its digest. */
export function makeDownloadPackage(needs: Needs): PackageDownload {
  return {
    async download(request, signal) {
      let bases = [...request.bases];
      let failures = 0;
      for (;;) {
        signal.throwIfAborted();
        const base = bases[failures % bases.length] as string;
        const outcome = await tryOnce(needs, request, base, signal);
        switch (outcome.kind) {
          case 'done':
            return;
          case 'again':
            failures += 1;
            signal.throwIfAborted();
            if (failures >= downloadPolicy.attemptsPerCall || outcome.error.code === 'DOWNLOAD_DAY_LIMIT') throw outcome.error;
            await pause(needs.clock, jitteredDelayMs(failures, needs.random.fraction(), downloadPolicy.retry), signal);
            break;
          case 'refused':
            bases = bases.filter((other) => other !== base);
            if (bases.length > 0) break;
            needs.parts.remove(request.path);
            throw new TsugiteError('DOWNLOAD_REFUSED', { status: outcome.status, sha256: request.sha256 });
          case 'wrong':
            needs.parts.remove(request.path);
            // What was fetched in pieces, perhaps from several servers, may be wrong by our own doing: once more from its first byte.
            if (outcome.isMixed) break;
            bases = bases.filter((other) => other !== base);
            if (bases.length > 0) break;
            throw new TsugiteError('PKG_DIGEST_MISMATCH', { expected: request.sha256, found: outcome.found });
          default:
            assertNever(outcome);
        }
      }
    },
  };
}

async function tryOnce(needs: Needs, request: DownloadRequest, base: string, signal: AbortSignal): Promise<Outcome> {
  const { parts } = needs;
  const today = dayOf(needs.clock.wallMs());
  const note: PartNote = noteOfDay(parts.loadNote(request.path), today);
  if (isDaySpent(note, request.bytes))
    return { kind: 'again', error: new TsugiteError('DOWNLOAD_DAY_LIMIT', { attempts: note.attempts, bytes: note.bytes }) };

  const part = await parts.open(request.path);
  try {
    if (part.bytes > request.bytes) await part.restart();
    const isMixed = part.bytes > 0;
    if (part.bytes < request.bytes) {
      const ended = await fetchInto(needs, { request, base, part, note, signal });
      if (ended !== undefined) return ended;
    }
    const found = part.sha256();
    if (found !== request.sha256) return { kind: 'wrong', found, isMixed };
    await part.finish();
    return { kind: 'done' };
  } catch (error) {
    if (!(error instanceof TsugiteError)) throw error;
    // A full disk must not be kept full by us: nothing of the download stays.
    if (error.code === 'STORE_NO_SPACE' || error.code === 'STORE_IO') {
      await part.close();
      parts.remove(request.path);
      throw error;
    }
    return { kind: 'again', error };
  } finally {
    await part.close();
  }
}

type Fetch = { request: DownloadRequest; base: string; part: PartFile; note: PartNote; signal: AbortSignal };

/** @returns undefined when the part has all its bytes */
async function fetchInto(needs: Needs, { request, base, part, note, signal }: Fetch): Promise<Outcome | undefined> {
  const fromByte = part.bytes;
  const answer = await needs.https.open(
    {
      method: 'GET',
      url: packageUrl(base, request.sha256),
      trust: needs.trustFor(base),
      headers: fromByte === 0 ? {} : { range: `bytes=${fromByte}-`, ...(note.etag === undefined ? {} : { 'if-range': note.etag }) },
      purpose: 'fetch',
      bodyIsPackage: true,
    },
    signal,
  );
  const decision = decideAnswer(headOf(answer), fromByte, request.bytes);
  const ended = endedBy(decision, answer.status);
  if (ended !== undefined) {
    if (decision.kind === 'drop-part') await part.restart();
    answer.close();
    return ended;
  }
  if (decision.kind === 'from-start') await part.restart();
  else needs.log.write({ event: 'download.resumed', code: 'DOWNLOAD_RESUMED', detail: { resumedAt: fromByte, bytes: request.bytes } });

  const etag = strongEtagOf(answer);
  const counted = { day: note.day, attempts: note.attempts + 1, bytes: note.bytes, ...(etag === undefined ? {} : { etag }) };
  needs.parts.saveNote(request.path, counted);
  const startedAt = part.bytes;
  try {
    return await receive(needs.clock, request, part, answer);
  } finally {
    needs.parts.saveNote(request.path, { ...counted, bytes: counted.bytes + part.bytes - startedAt });
  }
}

async function receive(clock: Clock, request: DownloadRequest, part: PartFile, { body }: HttpsAnswer): Promise<Outcome | undefined> {
  let windowFromMs = clock.monotonicMs();
  let windowFromBytes = part.bytes;
  for await (const piece of body) {
    if (part.bytes + piece.length > request.bytes) return { kind: 'wrong', found: `more than ${request.bytes} bytes`, isMixed: false };
    await part.append(piece);
    request.onProgress?.(part.bytes);
    const elapsedMs = clock.monotonicMs() - windowFromMs;
    if (elapsedMs < downloadPolicy.slowWindowMs) continue;
    if (part.bytes - windowFromBytes < downloadPolicy.slowWindowBytes)
      return { kind: 'again', error: new TsugiteError('DOWNLOAD_TOO_SLOW', { bytes: part.bytes - windowFromBytes, inMs: elapsedMs }) };
    windowFromMs = clock.monotonicMs();
    windowFromBytes = part.bytes;
  }
  if (part.bytes === request.bytes) return undefined;
  return {
    kind: 'again',
    error: new TsugiteError('SERVER_UNREACHABLE', { kind: 'broken-off', expected: request.bytes, found: part.bytes }),
  };
}

function endedBy(decision: AnswerDecision, status: number): Outcome | undefined {
  switch (decision.kind) {
    case 'append':
    case 'from-start':
      return undefined;
    case 'drop-part':
    case 'busy':
      return { kind: 'again', error: new TsugiteError('SERVER_UNREACHABLE', { kind: decision.kind, status }) };
    case 'refused':
      return { kind: 'refused', status };
    case 'wrong-length':
      return { kind: 'wrong', found: `${decision.foundBytes} bytes`, isMixed: false };
    default:
      return assertNever(decision);
  }
}

function headOf(answer: HttpsAnswer) {
  return { status: answer.status, contentRange: answer.header('content-range'), contentLength: answer.header('content-length') };
}

/** RFC 9110 §13.1.5: If-Range takes strong validators only. */
function strongEtagOf(answer: HttpsAnswer): string | undefined {
  const etag = answer.header('etag');
  return etag !== undefined && /^"[\x21\x23-\x7e]{1,128}"$/.test(etag) ? etag : undefined;
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
