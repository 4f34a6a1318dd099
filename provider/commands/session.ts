/** Which server a verb speaks to, and with which token. */
import { TsugiteError } from '../../protocol/errors.ts';
import { loadCredentials } from '../adapters/credentials.ts';
import { makeServerApi, type ServerApi, serverAddress } from '../adapters/server-api.ts';
import type { Surroundings } from '../surroundings.ts';

export type ServerOptions = { readonly server?: string; readonly data?: string };

/** @throws TsugiteError NOT_LOGGED_IN · USAGE_WRONG · CONFIG_INVALID */
export function openSession({ server, data }: ServerOptions, { defaults, pausesMs }: Surroundings): ServerApi {
  const { fromEnvironment, folder } = defaults;
  // A pipeline has no login: what it was given counts, for that server alone.
  if (fromEnvironment !== undefined && (server === undefined || serverAddress(server) === serverAddress(fromEnvironment.server)))
    return makeServerApi({ ...fromEnvironment, server: serverAddress(fromEnvironment.server), pausesMs });
  const { current, servers } = loadCredentials(data ?? folder);
  const address = server === undefined ? current : serverAddress(server);
  const login = address === null ? undefined : servers[address];
  if (address === null || login === undefined) throw new TsugiteError('NOT_LOGGED_IN', address === null ? {} : { server: address });
  return makeServerApi({ server: address, token: login.token, caPem: login.caPem, pausesMs });
}
