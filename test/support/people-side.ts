/** The whole people's side for tests: real PostgreSQL, real package files, real certificates, every route through HTTP; only the clock can be moved. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeEnvelope, keyidOf } from '../../protocol/dsse.ts';
import { providerId } from '../../protocol/fields.ts';
import { sheetPrices } from '../../protocol/price-tables.ts';
import { signStatement } from '../../protocol/signing.ts';
import { rootType } from '../../protocol/statements/root.ts';
import { openAuditHeads } from '../../server/adapters/audit-heads.ts';
import { systemClock } from '../../server/adapters/clock.ts';
import { makeCrlMaker } from '../../server/adapters/device-crl.ts';
import { openPackageFiles } from '../../server/adapters/package-files.ts';
import { makeProviderCa } from '../../server/adapters/provider-ca.ts';
import { systemRandom } from '../../server/adapters/random.ts';
import { makeAuthority, p256, rsa3072 } from '../../server/adapters/x509.ts';
import type { Patience } from '../../server/api/connections.ts';
import { makePeopleSide } from '../../server/compose/people-side.ts';
import type { Role } from '../../server/flows/actor.ts';
import { readChain } from '../../server/flows/audit-log.ts';
import type { WorkCompletion } from '../../server/flows/register-releases.ts';
import type { Clock, Db, Log } from '../../server/ports.ts';
import { defaultReadings } from '../../server/rules/billing-readings.ts';
import { type CatalogueProfile, eligibilityCatalogues } from '../../server/rules/eligibility-catalogue.ts';
import { makeFirstRoot } from '../../server/rules/first-root.ts';
import type { BillingSettings } from '../../server/rules/month-account.ts';
import { verifyAnswer } from './answers.ts';
import type { CertificateRequest } from './openssl.ts';
import { aPackage, type TestFile } from './packages.ts';
import { aDatabase, type TestDatabase } from './postgres.ts';
import { aRootCa, aSigner, leafExtensions } from './provider-pki.ts';

export type Reply = { status: number; body: Record<string, unknown>; headers: Record<string, unknown> };
export type PeopleSideRig = Awaited<ReturnType<typeof aPeopleSide>>;

/** T1 of DOMAIN §4.3. */
export const eligibleFacts = { line: 'NEXT_OTHER', access: 'DIRECT', hgwModel: 'PR-400KI', denwa: 'STANDARD', officeEq: 'no' } as const;
export const consent = {
  reference: 'A-1',
  scopes: ['delivery'],
  givenBy: 'the customer',
  givenHow: 'application form',
  givenAt: '2025-01-01T00:00:00Z',
};

/** The sheet's prices, and an issuer that is registered. */
const sheetBilling: BillingSettings = {
  issuer: { name: '試験運用者', registrationNumber: 'T1234567890123' },
  readings: defaultReadings,
  tables: [sheetPrices],
};
/** More than any test asks; a test of the limits brings its own. */
const noLimits = { perAddress: 1_000_000, perToken: 1_000_000, wrongTokens: 1_000_000 };

/** @param database  one that is there already, with a root */
export async function aPeopleSide({
  database = undefined as TestDatabase | undefined,
  unitBytes = 1_000_000,
  catalogue = 'seed' as CatalogueProfile,
  limits = noLimits,
  trustedProxies = [] as string[],
  /** With one, the server's timers run too. */
  patience = undefined as Patience | undefined,
  completion = 'automatic' as WorkCompletion,
  minGateways = 3,
  billing = {} as Partial<BillingSettings>,
} = {}) {
  const { db, connection, stop } = database ?? (await aDatabase());
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-people-'));
  const packagesDir = path.join(folder, 'packages');
  const lines: { event: string; [field: string]: unknown }[] = [];
  const keep = (event: string, fields = {}) => void lines.push({ event, ...fields });
  const log: Log = { info: keep, warn: keep, error: keep };
  const after: Clock['after'] = patience === undefined ? () => () => {} : systemClock.after;
  const clock: Clock & { offsetMs: number } = { offsetMs: 0, nowMs: () => Date.now() + clock.offsetMs, after };
  const pinned = aRootCa();
  const serverCa = aRootCa();
  const deviceCa = await makeAuthority(p256, { commonName: 'device CA' }, new Date(0));
  if (database === undefined) await insertRoot(db, pinned.pem, serverCa.pem);

  const { app, routes, tokens, dayTick, housekeeping, sweepPackages } = makePeopleSide({
    db,
    clock,
    random: systemRandom,
    log,
    packages: await openPackageFiles(packagesDir, systemRandom),
    providerCa: makeProviderCa(await makeAuthority(rsa3072, { organisation: 'Test Operator', commonName: 'provider CA' }, new Date(0))),
    crls: makeCrlMaker(deviceCa),
    heads: openAuditHeads(path.join(folder, 'audit-heads')),
    catalogue: eligibilityCatalogues[catalogue],
    unitBytes,
    work: { completion, measuredDays: 30 },
    retention: { customers: 1_826, reports: 400, notices: 400, requests: 400 },
    dataGraceDays: 30,
    report: { minGateways },
    billing: { ...sheetBilling, ...billing },
    access: { limits, trustedProxies, ...(patience === undefined ? {} : { patience }) },
    addresses: { https: 'https://127.0.0.1:8443', mqtt: 'mqtts://127.0.0.1:8883' },
  });
  const bearers = new Map<string, { token: string; expires: Date }>();
  const bearerOf = async (who: string): Promise<string> => {
    const [role, provider] = who.split(':') as [Role, string | undefined];
    const known = bearers.get(who);
    if (known !== undefined && known.expires.getTime() > clock.nowMs()) return known.token;
    const bearer = await tokens.create({ role, label: who, provider: provider === undefined ? undefined : providerId.parse(provider) });
    bearers.set(who, bearer);
    return bearer.token;
  };

  /** @param who  `operator`, `provider:acme`, … or `nobody` */
  const ask = async (
    who: string,
    method: 'GET' | 'POST',
    url: string,
    body?: object | Buffer,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const authorization = who === 'nobody' ? {} : { authorization: `Bearer ${await bearerOf(who)}` };
    const type = Buffer.isBuffer(body) ? { 'content-type': 'application/octet-stream' } : {};
    const response = await app.inject({
      method,
      url: `/api/v1${url}`,
      headers: { ...authorization, ...type, ...headers },
      ...(body === undefined ? {} : { payload: body }),
    });
    const reply = { status: response.statusCode, body: response.body === '' ? {} : response.json(), headers: response.headers };
    verifyAnswer(routes, method, url, reply);
    return reply;
  };
  /** A file, as bytes. */
  const download = async (who: string, url: string) => {
    const headers = { authorization: `Bearer ${await bearerOf(who)}` };
    const { statusCode: status, rawPayload: bytes, headers: answered } = await app.inject({ method: 'GET', url: `/api/v1${url}`, headers });
    return { status, bytes, headers: answered };
  };
  let customers = 0;
  return {
    app,
    routes,
    db,
    connection,
    clock,
    lines,
    ask,
    bearerOf,
    download,
    tokens,
    dayTick,
    housekeeping,
    sweepPackages,
    packageFiles: () => readdirSync(packagesDir).filter((name) => name !== 'incoming'),
    strayFile: (name: string) => writeFileSync(path.join(packagesDir, name), ''),
    uploads: () => readdirSync(path.join(packagesDir, 'incoming')),
    /** A signed .tsg of a provider whose certificate the pinned CA issued, a new one every time. */
    aPackage: (manifest: Record<string, unknown> = {}, files?: TestFile[], certificate: Partial<CertificateRequest> = {}) => {
      const provider = String(manifest.provider ?? 'acme');
      const signer = aSigner(pinned, { extensions: leafExtensions(provider), ...certificate });
      return aPackage({ signer, chain: [] }, { manifest, ...(files === undefined ? {} : { files }) });
    },
    admit: async (bytes: Buffer, who = 'operator') => ask(who, 'POST', '/releases', bytes),
    upload: async (bytes: Buffer, who = 'provider:acme') => ask(who, 'POST', '/uploads', bytes),
    aProvider: (provider = 'acme', more: object = {}) => ask('operator', 'POST', '/providers', { provider, name: provider, ...more }),
    /** A new customer; what the test does not say is T1. */
    aCustomer: async (facts: Record<string, unknown> = {}) => {
      customers += 1;
      const customerId = `CAF${String(customers).padStart(8, '0')}`;
      const { status, body } = await ask('operator', 'POST', '/customers', { customerId, facts: { ...eligibleFacts, ...facts } });
      if (status !== 201) throw new Error(JSON.stringify(body));
      return { customerId, customer: String(body.customer), site: String(body.site) };
    },
    order: (customerId: string, more: Record<string, unknown> = {}, who = 'operator') =>
      ask(who, 'POST', '/targets', { software: 'heater.acme', customerId, consent, ...more }),
    stop: async () => {
      await app.close();
      await verifyAuditLog(db).finally(stop);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Whatever a test did: the chain is whole, and no お客さまID is in it. */
async function verifyAuditLog(db: Db): Promise<void> {
  const { faults } = await readChain(db, []);
  const named = await db.query(
    'SELECT seq, action FROM audit a JOIN customers c ON length(c.customer_id) > 5 AND strpos(a::text, c.customer_id) > 0',
  );
  if (faults.length > 0 || named.length > 0) throw new Error(`the audit log: ${JSON.stringify({ faults, named })}`);
}

async function insertRoot(db: Awaited<ReturnType<typeof aDatabase>>['db'], providerCaPem: string, serverCaPem: string): Promise<void> {
  const keys = [1, 2, 3].map(() => generateKeyPairSync('ed25519').privateKey) as [KeyObject, KeyObject, KeyObject];
  const publicPart = (key: KeyObject) => ({
    keyid: keyidOf(key),
    spki: createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64'),
  });
  const root = makeFirstRoot({
    rootKeys: keys.map(publicPart),
    noticeKey: publicPart(generateKeyPairSync('ed25519').privateKey),
    providerCaPem,
    serverCaPem,
    nowMs: Date.now(),
  });
  await db.query('INSERT INTO roots (version, envelope, issued_at, expires_at) VALUES (1, $1, $2, $3)', [
    encodeEnvelope(signStatement(rootType, root, keys.slice(0, 2))),
    new Date(root.issuedAt),
    new Date(root.expires),
  ]);
}
