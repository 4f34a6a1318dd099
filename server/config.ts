/** The server's settings: a JSON file, with defaults for everything, read once. All its faults are told at once. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import * as z from 'zod/mini';
import { TsugiteError } from '../protocol/errors.ts';
import { sheetPrices } from '../protocol/price-tables.ts';
import { mebibyteBytes, megabyteBytes } from '../protocol/pricing.ts';
import { defaultReadings } from './rules/billing-readings.ts';
import type { BillingSettings } from './rules/month-account.ts';

const port = z.int().check(z.gte(0), z.lte(65_535));
const seconds = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));
const bytes = z.int().check(z.gte(1), z.lte(Number.MAX_SAFE_INTEGER));
const text = (most: number) => z.string().check(z.minLength(1), z.maxLength(most));
const listen = (defaultPort: number, defaultHost = '127.0.0.1') =>
  z._default(z.strictObject({ host: z._default(text(253), defaultHost), port: z._default(port, defaultPort) }), {
    host: defaultHost,
    port: defaultPort,
  });
/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8` */
const network = text(43).check(
  z.refine((given) => {
    const [address = '', bits] = given.split('/');
    const most = { 4: 32, 6: 128 }[isIP(address)] ?? -1;
    return most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  }, 'an address, or a network as address/bits'),
);
const onThisMachine = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const brokerUrl = text(300).check(
  z.refine((given) => {
    const url = URL.canParse(given) ? new URL(given) : undefined;
    const isAddress = url !== undefined && url.host !== '' && `${url.protocol}//${url.host}` === given.replace(/\/$/, '');
    return isAddress && (url.protocol === 'mqtts:' || (url.protocol === 'mqtt:' && onThisMachine.test(url.hostname)));
  }, 'mqtts://host:port; mqtt://, without TLS, on this machine only'),
);
const rate = z.int().check(z.gte(1), z.lte(1_000_000));
const month = z.string().check(z.regex(/^\d{4}-(0[1-9]|1[0-2])$/));
const yen = z.int().check(z.gte(0), z.lte(1_000_000_000));
const priceTable = z.strictObject({
  name: text(64),
  validFrom: month,
  validTo: z._default(z.nullable(month), null),
  taxPercent: z.int().check(z.gte(0), z.lte(100)),
  menuMonthlyYen: yen,
  planMonthlyYen: yen,
  contractYen: yen,
  basicWorkYen: yen,
  switchWorkYen: z.strictObject({ new: yen, change: yen, other: yen }),
});
const section = <Shape extends z.core.$ZodShape>(shape: Shape) => z.prefault(z.strictObject(shape), {} as never);

export type ServerConfig = z.infer<typeof configSchema>;
export const configSchema = z.strictObject({
  /** People's side: API and console. */
  people: section({
    host: z._default(text(253), '127.0.0.1'),
    port: z._default(port, 8080),
    /** Addresses and networks of proxies of ours in front of the API: what they say in X-Forwarded-For counts as the caller's address. */
    trustedProxies: z._default(z.array(network).check(z.maxLength(20)), []),
    /** Requests a minute, and as many at once after a pause; more are answered with E956. */
    limits: section({
      perAddress: z._default(rate, 6_000),
      perToken: z._default(rate, 3_000),
      /** Wrong tokens from one address. */
      wrongTokens: z._default(rate, 20),
    }),
  }),
  gateways: section({
    https: listen(8443),
    mqtt: listen(8883),
    /** nginx stands in front, at `https`, and reaches this server at a unix socket (docs/operations/brokers.md): `pki nginx` writes its configuration. */
    front: z.optional(z.strictObject({ socket: z.string().check(z.regex(/^\/[\w./-]{1,100}$/)) })),
    /** Name or address under which gateways find this server; it stands in invitations and in the server certificate. */
    publicHost: z._default(text(253), '127.0.0.1'),
  }),
  database: section({
    /** PostgreSQL 15 or newer; left out: a private one in the data folder. The environment's DATABASE_URL comes first. */
    url: z.optional(z.string().check(z.regex(/^postgres(ql)?:\/\/\S+$/))),
    /** Account of the private PostgreSQL when the server is root. */
    account: z._default(text(32), 'nobody'),
  }),
  /** A broker that is not ours, as mosquitto (docs/operations/brokers.md). */
  broker: section({
    /** Where this server finds it; left out: the embedded broker. The environment's MQTT_URL comes first. */
    url: z.optional(brokerUrl),
    /** Files: the broker's authority and our certificate for it. Left out: those that `pki mosquitto` has written into the data folder. */
    ca: z.optional(text(4096)),
    certificate: z.optional(text(4096)),
    key: z.optional(text(4096)),
    /** Instead of a certificate. */
    username: z.optional(text(200)),
    passwordFile: z.optional(text(4096)),
  }),
  operator: section({
    name: z._default(text(200), '運用者（エミュレーション環境）'),
    telephone: z.optional(text(50)),
  }),
  policy: section({
    keepaliveS: z._default(seconds(60, 1800), 1680),
    jitterS: z._default(seconds(0, 86_400), 3600),
    probationS: z._default(seconds(1, 3600), 60),
    /** D-20: 「毎月数MB程度」 for one gateway and all its software together, packages left out, a calendar month in Japan. */
    budget: section({
      targetBytes: z._default(bytes, 3_000_000),
      alarmBytes: z._default(bytes, 4_000_000),
      ceilingBytes: z._default(bytes, 5_000_000),
    }),
    /** 0: gateways measure and send nothing (docs/telemetry.md). */
    telemetryBytesPerMonth: z._default(z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER)), 100_000),
    dataGraceDays: z._default(seconds(1, 365), 30),
  }),
  work: section({
    /** Who completes a work order that a provider opened by registering: the server at once, or somebody at the operator. */
    completion: z._default(z.enum(['automatic', 'operator']), 'automatic'),
    /** How long an upload waits to be registered before it is dropped. */
    measuredDays: z._default(seconds(1, 365), 30),
  }),
  /** How long data are kept, in days (docs/operations/privacy.md). */
  retention: section({
    customers: z._default(seconds(366, 36_500), 1_826),
    reports: z._default(seconds(90, 36_500), 400),
    notices: z._default(seconds(30, 36_500), 400),
    requests: z._default(seconds(30, 36_500), 400),
  }),
  report: section({
    /** A provider is told what gateways measured only when at least so many of one model did: fewer would speak of single homes. */
    minGateways: z._default(z.int().check(z.gte(1), z.lte(1_000_000)), 10),
  }),
  billing: section({
    /** 登録番号 of the 適格請求書発行事業者; `none` for one that is not registered. Without it no month is closed (E803). */
    registrationNumber: z.optional(z.string().check(z.regex(/^(T\d{13}|none)$/, 'T and 13 digits, or none'))),
    /** On the invoices; left out: the operator's name. */
    issuer: z.optional(text(200)),
    address: z.optional(text(500)),
    contact: z.optional(text(500)),
    /** When a target is registered (D-09), and what one plan is for (D-07): server/rules/billing-readings.ts. */
    registeredAt: z._default(z.enum(['ready', 'accepted']), defaultReadings.registeredAt),
    planPer: z._default(z.enum(['software', 'site']), defaultReadings.planPer),
    /** Beside the sheet's own: a new price or tax rate, from its first month on. */
    priceTables: z._default(z.array(priceTable).check(z.maxLength(100)), []),
  }),
  /**
   * D-01: what the sheet's "M" is. What is admitted under 10⁶ is admitted under 2²⁰ too, so no gateway is ever overfilled; between the two a provider
   * pays one class more, is shown that before it registers, and finds it on the invoice (`SIZE_UNIT_GREY`).
   */
  sizeUnit: z._default(z.enum(['MB', 'MiB']), 'MB'),
  /** Which of `eligibilityCatalogues` decides (D-16). */
  eligibility: z._default(z.enum(['seed', 'current']), 'seed'),
  log: section({ level: z._default(z.enum(['debug', 'info', 'warn', 'error', 'silent']), 'info') }),
});

/**
 * @param path  undefined: defaults only
 * @throws TsugiteError CONFIG_INVALID with every fault · FILE_UNREADABLE
 */
export function loadConfig(
  path: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServerConfig {
  const written = path === undefined ? {} : parseJson(path);
  const withUrls = withUrl(withUrl(written, 'database', environment.DATABASE_URL), 'broker', environment.MQTT_URL);
  const parsed = configSchema.safeParse(withUrls);
  if (!parsed.success) throw new TsugiteError('CONFIG_INVALID', { path, faults: parsed.error.issues.map(faultOf) });
  const { targetBytes, alarmBytes, ceilingBytes } = parsed.data.policy.budget;
  if (!(targetBytes <= alarmBytes && alarmBytes <= ceilingBytes))
    throw new TsugiteError('CONFIG_INVALID', {
      path,
      faults: [{ field: 'policy.budget', fault: 'targetBytes ≤ alarmBytes ≤ ceilingBytes' }],
    });
  const { url, certificate, key, username, passwordFile } = parsed.data.broker;
  if (url !== undefined && parsed.data.gateways.mqtt.port === 0)
    throw new TsugiteError('CONFIG_INVALID', {
      path,
      faults: [{ field: 'gateways.mqtt.port', fault: 'where gateways find the outside broker' }],
    });
  if ((certificate === undefined) !== (key === undefined) || (username === undefined) !== (passwordFile === undefined))
    throw new TsugiteError('CONFIG_INVALID', {
      path,
      faults: [{ field: 'broker', fault: 'certificate + key, or username + passwordFile' }],
    });
  return parsed.data;
}

/** What months are closed by. */
export function billingOf({ billing, operator }: Pick<ServerConfig, 'billing' | 'operator'>): BillingSettings {
  const { registrationNumber, issuer = operator.name, address, contact, registeredAt, planPer, priceTables } = billing;
  return {
    issuer: { name: issuer, registrationNumber, address, contact },
    readings: { registeredAt, planPer },
    tables: [sheetPrices, ...priceTables],
  };
}

export function unitBytesOf({ sizeUnit }: Pick<ServerConfig, 'sizeUnit'>): number {
  return sizeUnit === 'MB' ? megabyteBytes : mebibyteBytes;
}

function parseJson(path: string): unknown {
  let written: string;
  try {
    written = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  }
  try {
    return JSON.parse(written);
  } catch (cause) {
    throw new TsugiteError('CONFIG_INVALID', { path, faults: [{ field: '(file)', fault: (cause as Error).message }] }, { cause });
  }
}

/** What the environment names comes before the file. */
function withUrl(written: unknown, name: 'database' | 'broker', url: string | undefined): unknown {
  if (url === undefined || url === '' || typeof written !== 'object' || written === null) return written;
  const section = (written as Record<string, unknown>)[name];
  return { ...written, [name]: { ...(typeof section === 'object' ? section : {}), url } };
}

function faultOf(issue: z.core.$ZodIssue): { field: string; fault: string } {
  const unknown = issue.code === 'unrecognized_keys' ? `: ${issue.keys.join(', ')}` : '';
  return { field: issue.path.join('.') || '(top)', fault: `${issue.message}${unknown}` };
}

/** Where the command line's verbs find the server, and with which token, unless an option says otherwise. */
export function cliDefaults(environment: Readonly<Record<string, string | undefined>> = process.env): {
  server: string;
  token: string | undefined;
  /** Who types, as the operating system knows them: what is done on this machine needs no token, and stands in the audit log all the same. */
  person: string;
} {
  return {
    server: environment.TSUGITE_SERVER ?? 'http://127.0.0.1:8080',
    token: environment.TSUGITE_TOKEN,
    person: environment.SUDO_USER ?? accountName(),
  };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`; // without an entry in /etc/passwd, as in a container
  }
}
