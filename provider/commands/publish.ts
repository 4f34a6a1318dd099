/** `tsugite publish FILE…`: uploaded and measured, priced, asked about, registered as one work order. Whatever breaks, the same command goes on. */
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { fileSize } from '../adapters/files.ts';
import type { ServerApi } from '../adapters/server-api.ts';
import { type PricedWork, priceLines } from '../rules/price-lines.ts';
import { bytesText, yenText } from '../rules/texts.ts';
import type { Surroundings } from '../surroundings.ts';

type Uploaded = {
  release: string;
  software: string;
  version: string;
  sha256: string;
  state: string;
  isRepeat: boolean;
  admission: { kind: string };
};
type Order = {
  order: string;
  state: string;
  completedAt: string | null;
  isRepeat: boolean;
  items: readonly { software: string; version: string; releaseState: string }[];
};
type Doors = { readonly api: ServerApi; readonly say: (line: string) => void; readonly terminal: Surroundings['terminal'] };

export async function publishFiles(paths: readonly string[], { yes }: { yes?: true }, doors: Doors): Promise<Answer> {
  const files = paths.map((path) => ({ path, bytes: publishable(path) })); // all of them, before the first is sent
  const uploads: (Uploaded & { file: string })[] = [];
  for (const file of files) uploads.push({ ...(await upload(file, doors)), file: file.path });
  const releases = [...new Set(uploads.flatMap(({ state, release }) => (state === 'MEASURED' ? [release] : [])))];
  const value = { uploads: uploads.map(({ file, release, software, version, state }) => ({ file, release, software, version, state })) };
  if (releases.length === 0) return { value: { ...value, order: null }, lines: uploads.map(settledLine) };

  const price = (await doors.api.post('/registrations/quote', { releases })) as PricedWork;
  await accept(price, yes === true, doors);
  const accepted = { oneOffYen: price.oneOffYen, monthlyYen: price.monthlyYen };
  const order = (await doors.api.post('/registrations', { releases, accept: accepted })) as Order;
  return {
    value: { ...value, price, order },
    lines: [...uploads.filter(({ state }) => state !== 'MEASURED').map(settledLine), ...orderLines(order)],
  };
}

/** `tsugite publish --list` */
export async function listUploads({ api }: Doors): Promise<Answer> {
  const uploads = (await api.list('/uploads')) as {
    release: string;
    software: string;
    version: string;
    dropsAt: string | null;
    order: string | null;
  }[];
  const lines = uploads.map(
    ({ release, software, version, dropsAt, order }) =>
      `${release}  ${software} ${version}  ${order === null ? `${dropsAt} に消去 / dropped then` : `工事 / work order ${order}`}`,
  );
  return { value: { uploads }, lines: lines.length === 0 ? ['（なし / none）'] : lines };
}

/** `tsugite publish --discard RELEASE` */
export async function discardUpload(release: string, { api }: Doors): Promise<Answer> {
  const value = (await api.post(`/uploads/${encodeURIComponent(release)}/discard`)) as Record<string, unknown>;
  return { value, lines: [`${release} を取り消しました / discarded`] };
}

/** @throws TsugiteError FILE_UNREADABLE · SIZE_OVER_MENU: what no server would keep is not sent */
function publishable(path: string): number {
  const bytes = fileSize(path);
  if (bytes >= limits.storedBytes) throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: bytes });
  return bytes;
}

async function upload(file: { path: string; bytes: number }, { api, say }: Doors): Promise<Uploaded> {
  let told = 0;
  const uploaded = (await api.upload('/uploads', file, (sent) => {
    const tenths = Math.floor((sent * 10) / file.bytes);
    if (tenths < told) told = 0; // another try
    if (tenths === told) return;
    told = tenths;
    say(`${file.path}: ${tenths * 10} %（${bytesText(sent)} / ${bytesText(file.bytes)}）`);
  })) as Uploaded;
  say(`${file.path}: ${uploaded.software} ${uploaded.version} を確認しました / proven and measured`);
  return uploaded;
}

/** @throws TsugiteError PRICE_NOT_ACCEPTED `no-terminal` · `declined` */
async function accept(price: PricedWork, isAccepted: boolean, { say, terminal }: Doors): Promise<void> {
  for (const line of priceLines(price)) say(line);
  if (isAccepted) return;
  const detail = {
    oneOff: price.oneOffYen,
    monthly: price.monthlyYen,
    expected: { oneOffYen: price.oneOffYen, monthlyYen: price.monthlyYen },
  };
  if (!terminal.isThere) throw new TsugiteError('PRICE_NOT_ACCEPTED', { kind: 'no-terminal', ...detail });
  const question = `一時費用 ${yenText(price.oneOffYen)}、月額 ${yenText(price.monthlyYen)} で登録しますか / register at this price? [yes/no] `;
  if (!/^(y|yes|はい)$/i.test(await terminal.ask(question))) throw new TsugiteError('PRICE_NOT_ACCEPTED', { kind: 'declined', ...detail });
}

function settledLine({ file, software, version, state, admission }: Uploaded & { file: string }): string {
  const what = admission.kind === 'resign' ? '署名を更新しました / signature renewed' : `登録済み / registered before（${state}）`;
  return `${file}: ${software} ${version}  ${what}`;
}

function orderLines({ order, state, completedAt, items }: Order): string[] {
  const isDone = state === 'COMPLETED';
  return [
    ...items.map(
      ({ software, version }) =>
        `${software} ${version}  ${isDone ? '公開しました / published' : '運用者の工事を待っています / waits for the operator'}`,
    ),
    `  工事 / work order ${order}  ${isDone ? completedAt : state}`,
  ];
}
