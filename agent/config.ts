/** The agent's settings: a JSON file and a few variables of the environment, read once. All faults are told at once. */
import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { TsugiteError } from '../protocol/errors.ts';
import { firmware, modelName } from '../protocol/fields.ts';
import { findModel, type GatewayProfile, profileOf } from '../protocol/gateway-models.ts';
import { defaultPageSettings, faultsOfPageSettings, type PageSettings } from './rules/page/settings.ts';

export const defaultDataDir = '/var/lib/tsugite-agent';

const port = z.int().check(z.gte(1), z.lte(65_535));
const hostNumber = z.int().check(z.gte(2), z.lte(65_534));
/** `192.168.1.1:8888` or `[fd00::1]:8888` */
const address = z.string().check(z.regex(/^(\[[0-9a-f:]+\]|[0-9.]+|localhost):\d{1,5}$/, 'not host:port'));
const section = <Shape extends z.core.$ZodShape>(shape: Shape) => z.prefault(z.strictObject(shape), {} as never);

export type AgentConfig = z.infer<typeof configSchema>;
export const configSchema = z.strictObject({
  /** Of this gateway; a model of the catalogue. */
  model: modelName.check(z.refine((name) => findModel(name) !== undefined, 'not a model of the catalogue')),
  firmware: z._default(firmware, '01.00.0000'),
  page: section({
    listen: z._default(z.array(address).check(z.minLength(1), z.maxLength(8)), ['127.0.0.1:8888']),
    /** Each app's page has an origin of its own: one port of this row. */
    appPorts: section({ from: z._default(port, 8889), count: z._default(z.int().check(z.gte(1), z.lte(64)), 8) }),
    /** 設定: an origin of its own, on the addresses of `listen`. */
    settingsPort: z._default(port, 8887),
    /** Where something forwards the page: inner port → the port by which a browser reaches it. */
    outerPorts: z._default(z.record(z.string(), port), {}),
    hostNames: z._default(z.array(z.string()).check(z.maxLength(16)), []),
  }),
  operator: section({ name: z._default(z.string().check(z.minLength(1), z.maxLength(200)), '運用者（エミュレーション環境）') }),
  sandbox: section({
    backend: z._default(z.enum(['bwrap']), 'bwrap'),
    /** Our folder in the control group tree; by default made from the data folder's path. */
    cgroup: z.optional(z.string().check(z.regex(/^[a-z0-9-]{1,64}$/))),
  }),
  /** Of the home network, for software with a granted LAN permission. */
  lan: section({
    bridge: z._default(z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/, 'not an interface name')), 'br-lan'),
    /** Each such software gets an address of its own: 200 is 192.168.1.200 in 192.168.1.0/24. Keep them out of the DHCP range. */
    pool: section({ from: z._default(hostNumber, 200), to: z._default(hostNumber, 239) }),
  }),
  log: section({ level: z._default(z.enum(['debug', 'info', 'warn', 'error']), 'info') }),
});

/**
 * @param path  undefined: TSUGITE_AGENT_CONFIG of the environment, or defaults alone
 * @throws TsugiteError CONFIG_INVALID with every fault · FILE_UNREADABLE
 */
export function loadConfig(path: string | undefined, environment: Readonly<Record<string, string | undefined>> = process.env): AgentConfig {
  const file = path ?? environment.TSUGITE_AGENT_CONFIG;
  const written = withModel(file === undefined ? {} : parseJson(file), environment.TSUGITE_MODEL);
  const parsed = configSchema.safeParse(written, { reportInput: true });
  const faults = [...(parsed.error?.issues.map(faultOf) ?? []), ...pageFaults(written)];
  if (parsed.success && faults.length === 0) return parsed.data;
  // One sentence a field: a value of the wrong type fails every check behind it too.
  const first = faults.filter((fault, index) => faults.findIndex(({ field }) => field === fault.field) === index);
  throw new TsugiteError('CONFIG_INVALID', { path: file ?? null, faults: first });
}

/** What no schema of single fields can say; also told when other sections have faults. */
function pageFaults(written: unknown): { field: string; fault: string }[] {
  const own = written as { page?: unknown; operator?: unknown } | null;
  const page = configSchema.shape.page.safeParse(own?.page);
  const operator = configSchema.shape.operator.safeParse(undefined);
  return page.success && operator.success ? faultsOfPageSettings(pageSettingsOf({ page: page.data, operator: operator.data })) : [];
}

export function dataDirOf(option: string | undefined, environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return option ?? environment.TSUGITE_AGENT_DATA ?? defaultDataDir;
}

/** @throws TsugiteError MODEL_UNKNOWN */
export function profileOfModel({ model }: Pick<AgentConfig, 'model'>): GatewayProfile {
  const profile = profileOf(model);
  if (profile === undefined) throw new TsugiteError('MODEL_UNKNOWN', { models: [model] });
  return profile;
}

export function pageSettingsOf({ page, operator }: Pick<AgentConfig, 'page' | 'operator'>): PageSettings {
  const { outerPorts, hostNames, appPorts, settingsPort } = page;
  return {
    ...defaultPageSettings,
    listen: page.listen.map(toListen),
    appPorts,
    outerPorts,
    settingsPort,
    hostNames,
    operatorName: operator.name,
  };
}

function toListen(text: string): PageSettings['listen'][number] {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

function withModel(written: unknown, model: string | undefined): unknown {
  return model === undefined || typeof written !== 'object' || written === null ? written : { model, ...written };
}

function parseJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TsugiteError('CONFIG_INVALID', { path, faults: [{ field: '(file)', fault: `not JSON: ${String(cause)}` }] }, { cause });
  }
}

/** zod/mini carries no sentences of its own, which saves memory: these are ours. */
const unsaid = 'Invalid input';
function faultOf(issue: z.core.$ZodIssue): { field: string; fault: string } {
  const field = issue.path.join('.') || '(top)';
  switch (issue.code) {
    case 'invalid_type':
      return { field, fault: issue.input === undefined ? `missing (${issue.expected})` : `not of type ${issue.expected}` };
    case 'unrecognized_keys':
      return { field, fault: `unknown: ${issue.keys.join(', ')}` };
    case 'invalid_value':
      return { field, fault: `not one of ${issue.values.join(', ')}` };
    case 'too_big':
      return { field, fault: `above ${issue.maximum}` };
    case 'too_small':
      return { field, fault: `below ${issue.minimum}` };
    case 'invalid_format':
      return { field, fault: issue.message === unsaid ? 'not of the required form' : issue.message };
    default:
      return { field, fault: issue.message === unsaid ? `not allowed (${issue.code})` : issue.message };
  }
}
