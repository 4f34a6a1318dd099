/** backup, restore: a server's whole state as a folder, and a new server from it. They work on this machine's files. */
import { existsSync } from 'node:fs';
import { TsugiteError } from '../../protocol/errors.ts';
import type { BackedUp } from '../compose/back-up.ts';
import type { RestoredServer } from '../compose/restore.ts';
import type { Safekeeping } from '../compose/safekeeping.ts';
import { loadConfig } from '../config.ts';
import { writeAuditHead } from '../rules/audit-chain.ts';
import { configOf, dataOf } from './local-verbs.ts';
import type { Verbs } from './program.ts';

type Options = { data?: string; config?: string; out?: string; withoutDatabase?: true; sha256?: string };
export type Local = {
  readonly safekeeping: () => Promise<Safekeeping>;
  /** As the operating system knows whoever typed this. */
  readonly person: string;
  readonly err: (text: string) => void;
};

export function addBackupVerbs({ safekeeping, person, err }: Local): (verbs: Verbs) => void {
  return ({ verb, answer }) => {
    verb('backup', 'copy database, packages, keys and settings of this moment, while the server runs or not（バックアップする）')
      .option('--out <folder>', 'folder to make; it must not exist')
      .option('--without-database', 'the database is elsewhere (DATABASE_URL) and was backed up by its own means before')
      .action(async (options: Options) => {
        if (options.out === undefined) throw new TsugiteError('USAGE_WRONG', { at: '--out' });
        const made = await (await safekeeping()).backUp({
          dir: dataOf(options),
          out: options.out,
          config: loadConfig(configOf(options)),
          configFile: configOf(options),
          withoutDatabase: options.withoutDatabase === true,
          person,
          progress: makeProgress('backup', err),
        });
        answer({ value: toldOf(made), lines: linesOfBackup(made) });
      });
    verb('backup verify', 'read a backup from end to end: is every file what was backed up（バックアップを検証する）')
      .argument('<folder>', 'the backup')
      .option(
        '--sha256 <digest>',
        'of its manifest, as backup printed it: without it, damage is found, but not what was changed on purpose',
      )
      .action(async (folder: string, { sha256 }: Options) => {
        const { manifest, totalBytes } = await (await safekeeping()).verifyBackup(folder, sha256, makeProgress('backup verify', err));
        const { id, madeAt, program, files } = manifest;
        answer({
          value: { folder, id, madeAt, program, files: files.length, bytes: totalBytes },
          lines: [`${folder} は完全です / is whole`, `  ${madeAt}  ${files.length} ファイル  ${megabytes(totalBytes)} MB`],
        });
      });
    verb('restore', 'make a new data folder from a backup; nothing is published until restore confirm（復元する）')
      .argument('<backup>', 'the backup')
      .option('--sha256 <digest>', 'of its manifest, as backup printed it')
      .action(async (backup: string, options: Options) => {
        const restored = await (await safekeeping()).restore({
          backup,
          sha256: options.sha256,
          dir: dataOf(options),
          loadConfig: (own) => loadConfig(options.config ?? (existsSync(own) ? own : undefined)),
          person,
          progress: makeProgress('restore', err),
        });
        answer({ value: restored, lines: linesOfRestore(restored) });
      });
  };
}

function toldOf({ out, manifest, sha256, bytes, missingPackages, hasOfflineRoot }: BackedUp) {
  const { id, madeAt, database, audit, rootVersion, files } = manifest;
  return {
    out,
    id,
    madeAt,
    sha256,
    bytes,
    files: files.length,
    database: database.kind,
    audit,
    rootVersion,
    missingPackages,
    hasOfflineRoot,
  };
}

function linesOfBackup({ out, manifest, sha256, bytes, missingPackages, hasOfflineRoot }: BackedUp): string[] {
  const { madeAt, database, audit, files } = manifest;
  return [
    `${out}  ${files.length} ファイル  ${megabytes(bytes)} MB（${madeAt}）`,
    ...(database.kind === 'elsewhere' ? ['  データベースは含まれていません / the database is not in it'] : []),
    '  鍵とお客さまの情報を含みます。暗号化できる場所に移してください / holds keys and customer data: move it to an encrypted place',
    '  次の値を、バックアップとは別に控えてください / keep these apart from it:',
    `    manifest  ${sha256}`,
    ...(audit === null ? [] : [`    audit     ${writeAuditHead(audit)}`]),
    ...missing(missingPackages),
    ...(hasOfflineRoot
      ? ['  警告: オフラインのルート鍵がサーバーに残っています（バックアップには含まれません） / take offline-root away']
      : []),
  ];
}

function linesOfRestore({ data, madeAt, rootVersion, audit, missingPackages }: RestoredServer): string[] {
  return [
    `${data} に復元しました（${madeAt} 時点） / restored`,
    `  ルート情報 ${rootVersion}: これより新しいものを公開済みなら、先に登録してください / publish newer roots first, if there are any`,
    ...(audit.faultCount === 0 ? [] : [`  警告: 監査記録に ${audit.faultCount} か所の異常 / the audit log has faults: run audit verify`]),
    ...missing(missingPackages),
    '  確認するまで、配信情報は送りません / nothing is published until: tsugite-server restore confirm --reason …',
    `  tsugite-server run --data ${data}`,
  ];
}

function missing(packages: readonly string[]): string[] {
  return packages.map((sha256) => `  警告: パッケージ ${sha256} がありません / is missing`);
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1);

/** A line at each tenth. */
function makeProgress(what: string, err: (text: string) => void): (doneBytes: number, allBytes: number) => void {
  let told = 0;
  return (doneBytes, allBytes) => {
    const tenths = allBytes === 0 ? 10 : Math.floor((10 * doneBytes) / allBytes);
    if (tenths > told) err(`${what}: ${tenths * 10} %（${megabytes(doneBytes)} / ${megabytes(allBytes)} MB）\n`);
    told = Math.max(told, tenths);
  };
}
