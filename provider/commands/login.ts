import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { type Login, loadCredentials, parseHolder, saveCredentials } from '../adapters/credentials.ts';
import { readText } from '../adapters/files.ts';
import { makeServerApi, serverAddress } from '../adapters/server-api.ts';
import type { Surroundings } from '../surroundings.ts';

type Options = { readonly data?: string; readonly tokenFile?: string; readonly ca?: string };

/** `tsugite login URL`: the token is tried at the server before it is kept. It never stands on the command line, where every process could read it. */
export async function login(
  url: string,
  { data, tokenFile, ca }: Options,
  { terminal, defaults, pausesMs }: Surroundings,
): Promise<Answer> {
  const server = serverAddress(url);
  const caPem = ca === undefined ? undefined : readText(ca);
  const token = (await readToken(tokenFile, terminal)).trim();
  if (token === '') throw new TsugiteError('USAGE_WRONG', { at: '--token-file FILE, or - for standard input' });
  const { name, role, provider, expires } = parseHolder(await makeServerApi({ server, token, caPem, pausesMs }).get('/whoami'));
  const folder = data ?? defaults.folder;
  const known = loadCredentials(folder);
  const entry: Login = { token, name, role, provider, expires, ...(caPem === undefined ? {} : { caPem }) };
  saveCredentials(folder, { v: 1, current: server, servers: { ...known.servers, [server]: entry } });
  return {
    value: { server, name, role, provider, expires },
    lines: [
      `${server} にログインしました / logged in`,
      `  ${name}（${provider ?? role}）`,
      ...(expires === null ? [] : [`  トークンの期限 / token ends: ${expires}`]),
    ],
  };
}

/** `tsugite logout [URL]`: forgets the token here. It stays good at the server until the operator revokes it or it ends. */
export function logout(url: string | undefined, { data }: Options, { defaults }: Surroundings): Answer {
  const folder = data ?? defaults.folder;
  const known = loadCredentials(folder);
  const server = url === undefined ? known.current : serverAddress(url);
  if (server === null || known.servers[server] === undefined) throw new TsugiteError('NOT_LOGGED_IN', server === null ? {} : { server });
  const { [server]: _, ...servers } = known.servers;
  const current = known.current === server ? (Object.keys(servers)[0] ?? null) : known.current;
  saveCredentials(folder, { v: 1, current, servers });
  return {
    value: { server, current },
    lines: [
      `${server} のトークンを消去しました / token forgotten`,
      'サーバーでは有効なままです。不要なときは運用者に無効化を依頼してください。 / It stays good at the server until it is revoked.',
    ],
  };
}

/** `tsugite login --list` */
export function listLogins({ data }: Options, { defaults }: Surroundings): Answer {
  const { current, servers } = loadCredentials(data ?? defaults.folder);
  const logins = Object.entries(servers).map(([server, { name, role, provider, expires }]) => ({
    server,
    isCurrent: server === current,
    name,
    role,
    provider,
    expires,
  }));
  const lines = logins.map(
    ({ server, isCurrent, name, role, provider }) => `${isCurrent ? '*' : ' '} ${server}  ${name}（${provider ?? role}）`,
  );
  return { value: { logins }, lines: lines.length === 0 ? ['（なし / none）'] : lines };
}

async function readToken(file: string | undefined, terminal: Surroundings['terminal']): Promise<string> {
  if (file === '-') return terminal.readInput();
  if (file !== undefined) return readText(file);
  if (terminal.isThere) return terminal.askSecret('トークン / token: ');
  return terminal.readInput();
}
