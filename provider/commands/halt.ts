import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { ServerApi } from '../adapters/server-api.ts';

type Halted = { software: string; version: string; state: string; haltedBy: string | null; waiting: number; running: number };

/** `tsugite halt SOFTWARE VERSION`: no new installs; what runs stays. `--resume` undoes it. */
export async function haltRelease(
  software: string,
  version: string,
  { reason, resume }: { reason?: string; resume?: true },
  api: ServerApi,
): Promise<Answer> {
  if (reason === undefined) throw new TsugiteError('USAGE_WRONG', { at: '--reason TEXT' });
  const wish = resume === true ? 'resume' : 'halt';
  const halted = (await api.post(`/releases/${wish}`, { software, version, reason })) as Halted;
  const what = halted.state === 'HALTED' ? '新たなインストールを停止しました / no new installs' : '停止を解除しました / installs again';
  return {
    value: { ...halted },
    lines: [
      `${software} ${version}  ${what}`,
      `  未インストール / not installed yet: ${halted.waiting}    動作中（変更なし）/ running, unchanged: ${halted.running}`,
      ...(halted.state === 'HALTED'
        ? ['  以前のバージョンに戻すには、運用者に依頼してください（release deploy --rollback）。 / Going back is another command.']
        : []),
    ],
  };
}
