/** Where the kit keeps what it remembers, and what a provider's CI sets instead of logging in. The only reader of the environment. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export type KitDefaults = {
  /** TSUGITE_SERVER and TSUGITE_TOKEN: both, or they count for nothing. */
  readonly fromEnvironment: { readonly server: string; readonly token: string } | undefined;
  /** Folder of the credentials. */
  readonly folder: string;
};

export function kitDefaults(environment: Readonly<Record<string, string | undefined>> = process.env): KitDefaults {
  const { TSUGITE_SERVER: server = '', TSUGITE_TOKEN: token = '', XDG_CONFIG_HOME: config = '' } = environment;
  return {
    fromEnvironment: server === '' || token.trim() === '' ? undefined : { server, token: token.trim() },
    // XDG Base Directory Specification: a relative path counts for nothing.
    folder: join(config.startsWith('/') ? config : join(homedir(), '.config'), 'tsugite'),
  };
}
