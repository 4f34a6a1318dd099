/** provider …, software …, release …: who deposits what. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Verbs } from './program.ts';

export function addProviderVerbs({ verb, show, answer, api }: Verbs): void {
  verb('provider add', 'register a provider（事業者を登録する）')
    .argument('<id>', 'provider id, as in its certificate')
    .requiredOption('--name <name>', 'organisation, shown to the household')
    .option('--contact <text>', 'how the operator reaches it')
    .option('--consent-not-required <reason>', 'its service needs no application by the customer, and why (D-17)')
    .action(async (provider, options, command: Command) => {
      const { name, contact, consentNotRequired } = options;
      show(await api(command).post('/providers', { provider, name, contact, consentNotRequired }));
    });
  verb('provider list', 'every provider').action(async (_options, command: Command) =>
    show(await api(command).list('/providers'), 'providers'),
  );
  verb('provider certificates', 'the certificates of a provider')
    .argument('<id>', 'provider id')
    .action(async (id, _options, command: Command) =>
      show(await api(command).list(`/providers/${encodeURIComponent(id)}/certificates`), 'certificates'),
    );

  verb('software list', 'every software').action(async (_options, command: Command) =>
    show(await api(command).list('/software'), 'software'),
  );

  verb('release admit', 'verify, measure, class and admit a package（登録する）')
    .argument('<file>', 'the .tsg file')
    .action(async (file, _options, command: Command) => {
      const admitted = (await api(command).upload('/releases', file)) as Admitted;
      answer({ value: admitted, lines: linesOf(admitted) });
    });
  verb('release list', 'releases of a software')
    .argument('<software>', 'software id')
    .action(async (software, _options, command: Command) => show(await api(command).list('/releases', { software }), 'releases'));
  verb('release deploy', 'want this release on targets that have the software（更新する）')
    .argument('<software>', 'software id')
    .argument('<version>', 'version')
    .option('--target <id...>', 'only these targets')
    .option('--rollback <reason>', 'needed to go back to a lower version')
    .action(async (software, version, options, command: Command) => {
      const body = { software, version, targets: options.target, rollbackReason: options.rollback };
      show(await api(command).post('/releases/deploy', body));
    });
  for (const [wish, what] of [
    ['halt', 'no new installs of a release; running copies stay as they are（新たなインストールを停止する）'],
    ['resume', 'let a halted release be installed again（停止を解除する）'],
  ] as const)
    verb(`release ${wish}`, what)
      .argument('<software>', 'software id')
      .argument('<version>', 'version')
      .requiredOption('--reason <text>', 'why')
      .action(async (software, version, { reason }, command: Command) =>
        show(await api(command).post(`/releases/${wish}`, { software, version, reason })),
      );
}

type Admitted = {
  release: string;
  software: string;
  version: string;
  sha256: string;
  isRepeat: boolean;
  admission:
    | { kind: 'repeat' }
    | {
        kind: 'admit' | 'resign';
        menu: number;
        plan: number;
        storedBytes: number;
        installedBytes: number;
        flags: string[];
        refusedModels?: { model: string; code: string; limit: number; actual: number }[];
      };
};

function linesOf({ software, version, sha256, admission }: Admitted): string[] {
  const head = `${software} ${version}  sha256:${sha256}`;
  if (admission.kind === 'repeat') return [head, '  登録済み / admitted before'];
  return [
    head,
    ...(admission.kind === 'resign' ? ['  署名を更新しました / signature renewed'] : []),
    `  メニュー${admission.menu}（保管 ${admission.storedBytes} バイト）  プラン${admission.plan}（測定 ${admission.installedBytes} バイト）`,
    ...admission.flags.map((flag) => `  ${flag}`),
    ...(admission.refusedModels ?? []).map(({ model, code, limit, actual }) => `  ${model}: ${code}（上限 ${limit}、${actual}）`),
  ];
}

/** @throws TsugiteError FILE_EXISTS: what is there is never overwritten · FILE_UNREADABLE */
export function writeNew(path: string, text: string, mode = 0o644): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode, flush: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code === 'EEXIST' ? 'FILE_EXISTS' : 'FILE_UNREADABLE';
    throw new TsugiteError(code, { path }, { cause });
  }
}
