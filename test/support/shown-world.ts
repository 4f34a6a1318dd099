/**
 * The story that the examples of the API are about, made real: each time another provider with its own software, customer and gateway, so that an
 * example works however often it is tried, and whatever was done before.
 */

import type { Route } from '../../server/api/route.ts';
import { shown } from '../../server/api/shown.ts';
import { systemActor } from '../../server/flows/actor.ts';
import { holdPublication } from '../../server/flows/publication-hold.ts';
import { keyFile, openssl } from './openssl.ts';
import type { PeopleSideRig } from './people-side.ts';

export type Call = { who: string; method: 'GET' | 'POST'; url: string; body: object | Buffer | undefined };
type World = { provider: string; software: string; customerId: string; site: string; gateway: string; version: string };
type Stage = (rig: PeopleSideRig, world: World) => Promise<Record<string, string>>;

let worlds = 0;
const post = async (rig: PeopleSideRig, url: string, body: object = {}, who = 'operator') => {
  const reply = await rig.ask(who, 'POST', url, body);
  if (reply.status >= 300) throw new Error(`${url}: ${JSON.stringify(reply.body)}`);
  return reply.body;
};
const own = ({ provider }: World) => `provider:${provider}`;

const nothing: Stage = async () => ({});
const register: Stage = async (rig, { provider }) => ({
  provider: String((await rig.aProvider(provider, { name: '株式会社エース' })).body.provider),
});
const release: Stage = async (rig, world) => {
  await register(rig, world);
  const { body } = await rig.admit(rig.aPackage({ provider: world.provider, software: world.software, web: undefined }));
  return { release: String(body.release) };
};
const home: Stage = async (rig, world) => {
  const { customerId } = world;
  const made = await post(rig, '/customers', {
    customerId,
    facts: { line: 'NEXT_OTHER', access: 'DIRECT', hgwModel: shown.model, denwa: 'STANDARD', officeEq: 'no' },
  });
  world.site = String(made.site);
  return { site: world.site, customer: String(made.customer) };
};
const gateway: Stage = async (rig, world) => {
  const there = await home(rig, world);
  await post(rig, '/gateways', { gateway: world.gateway, model: shown.model, site: world.site });
  return there;
};
const consent = { scopes: ['delivery'], givenBy: 'お客さまご本人', givenHow: '申込書', givenAt: '2026-11-20T03:00:00Z' };
const target: Stage = async (rig, world) => {
  const made = { ...(await release(rig, world)), ...(await gateway(rig, world)) };
  const order = { software: world.software, customerId: world.customerId, consent: { reference: 'W-1', ...consent } };
  return { ...made, target: String((await post(rig, '/targets', order)).target) };
};
const upload: Stage = async (rig, world) => {
  await register(rig, world);
  const { body } = await rig.upload(rig.aPackage({ provider: world.provider, software: world.software, web: undefined }), own(world));
  return { release: String(body.release) };
};
const order: Stage = async (rig, world) => {
  const { release: uploaded = '' } = await upload(rig, world);
  const { order: opened } = await post(rig, '/work-orders', { provider: world.provider });
  return { release: uploaded, order: String(opened) };
};
const filledOrder: Stage = async (rig, world) => {
  const made = await order(rig, world);
  await post(rig, `/work-orders/${made.order}/items`, { release: made.release });
  return made;
};
const csr = ({ provider }: World): string =>
  openssl([
    ...['req', '-new', '-utf8', '-key', keyFile('asks-1'), '-subj', '/O=株式会社エース'],
    ...['-addext', `subjectAltName=URI:urn:tsugite:provider:${provider}`],
  ]).toString();
const request: Stage = async (rig, world) => {
  await register(rig, world);
  const made = await post(rig, '/certificate-requests', { csr: csr(world) }, own(world));
  return { request: String(made.request), keyid: String(made.subjectKeyid) };
};
const complaint: Stage = async (rig, world) => {
  const made = await target(rig, world);
  return { ...made, case: String((await post(rig, `/software/${world.software}/complaints`, { kind: 'content', said: 'x' })).case) };
};
const application: Stage = async (rig, world) => {
  const made = { ...(await release(rig, world)), ...(await gateway(rig, world)) };
  const { application: id } = await post(rig, '/applications', { software: world.software, reference: 'W-2' });
  await post(rig, `/applications/${id}/steps`, { event: 'lineInUse', customerId: world.customerId });
  return { ...made, application: String(id) };
};
const consented: Stage = async (rig, world) => {
  const made = await target(rig, world);
  const body = { at: { customerId: world.customerId }, provider: world.provider, software: world.software };
  return { ...made, consent: String((await post(rig, '/consents', { ...body, consent: { reference: 'W-3', ...consent } })).consent) };
};
const change: Stage = async (rig, world) => {
  const made = await target(rig, world);
  const id = `change${String(worlds).padStart(20, '0')}`;
  await rig.db.query(
    `INSERT INTO pending_changes (id, kind, subject, detail, targets, most, proposed_by, proposers, created_at, expires_at)
     VALUES ($1, 'cancel', $2, '{"reason":"cancelled"}', ARRAY[$2], 10, 'somebody', '{}', now(), now() + interval '3 days')`,
    [id, made.target],
  );
  return { ...made, change: id };
};
const event: Stage = async (rig, world) => {
  const made = await home(rig, world);
  const body = { at: { site: world.site }, event: { kind: 'start-rental', detail: {} } };
  return { ...made, event: String((await post(rig, '/contract/events', body)).event) };
};
const restored: Stage = async (rig) => {
  await rig.db.tx((sql) => holdPublication(sql, { why: 'restored' }, { actor: systemActor, nowMs: rig.clock.nowMs() }));
  return {};
};
const token: Stage = async (rig) => ({ id: String((await post(rig, '/tokens', { role: 'viewer', label: 'x' })).id) });

/** What has to be there before a route's example works; the others want everything up to a target. */
const stages: Readonly<Record<string, Stage>> = {
  'POST /providers': nothing,
  'POST /customers': nothing,
  'POST /gateways': home,
  'POST /customers/erase': home,
  'POST /targets': async (rig, world) => ({ ...(await release(rig, world)), ...(await gateway(rig, world)) }),
  'POST /releases': register,
  'POST /uploads': register,
  'POST /uploads/:release/discard': upload,
  'POST /registrations/quote': upload,
  'POST /registrations': upload,
  'GET /uploads': upload,
  'POST /releases/resume': async (rig, world) => {
    const made = await release(rig, world);
    await post(rig, '/releases/halt', { software: world.software, version: world.version, reason: 'x' });
    return made;
  },
  'POST /certificate-requests': register,
  'POST /tokens/:id/revoke': token,
  'POST /restore/confirm': restored,
  'POST /work-orders/:order/items': order,
  'POST /targets/:target/retry': target,
  'POST /applications/:application/steps': application,
  'GET /applications/:application': application,
  'POST /contract/events/:event/void': event,
};
const byParameter: Readonly<Record<string, Stage>> = {
  request,
  order: filledOrder,
  case: complaint,
  consent: consented,
  change,
  id: token,
};

/** @returns the call of the route's example, to things that are there, by somebody who may */
export async function shownCall(rig: PeopleSideRig, route: Route): Promise<Call> {
  worlds += 1;
  const provider = `p${worlds}`;
  const world: World = {
    provider,
    software: `heater.${provider}`,
    customerId: `CAF8${String(worlds).padStart(7, '0')}`,
    site: '',
    gateway: `hgw-shown-${worlds}`,
    version: shown.version,
  };
  const name = `${route.method} ${route.path}`;
  const parameter = /:(\w+)/.exec(route.path)?.[1] ?? '';
  const { params = {}, query = {}, body } = route.example ?? { answer: null };
  const usual = (route.example?.params ?? route.example?.query ?? route.example?.body) ? target : nothing;
  const made = await (stages[name] ?? byParameter[parameter] ?? usual)(rig, world);

  const real = new Map<string, string>([
    [shown.software, world.software],
    [`"${shown.provider}"`, `"${provider}"`],
    [shown.customerId, world.customerId],
    [shown.gateway, world.gateway],
    [shown.site, world.site],
    ['-----BEGIN CERTIFICATE REQUEST-----\\n…\\n-----END CERTIFICATE REQUEST-----\\n', JSON.stringify(csr(world)).slice(1, -1)],
    [shown.keyid, made.keyid ?? shown.keyid],
    [shown.target, made.target ?? shown.target],
    [shown.release, made.release ?? shown.release],
  ]);
  for (const [field, literal] of Object.entries(params))
    real.set(`"${literal}"`, `"${made[field] ?? (world[field as keyof World] || literal)}"`);
  const fill = <T>(value: T): T =>
    JSON.parse([...real].reduce((text, [literal, meant]) => text.replaceAll(literal, meant), JSON.stringify(value)));

  const filled = fill(params) as Record<string, string>;
  const path = route.path.replace(/:(\w+)/g, (_, field: string) => filled[field] ?? '');
  const search = new URLSearchParams(fill(query) as Record<string, string>).toString();
  // An example is the operator's, unless only the provider speaks so.
  const isProviders = route.roles !== 'anyone' && (!route.roles.includes('operator') || name === 'POST /consents');
  const isOwnToken = name === 'POST /tokens/replace'; // the operator's is needed again
  const who = isOwnToken ? 'viewer' : isProviders ? `provider:${provider}` : 'operator';
  const bytes = () => rig.aPackage({ provider, software: world.software, web: undefined });
  return {
    who,
    method: route.method,
    url: search === '' ? path : `${path}?${search}`,
    body: route.isUpload === true ? bytes() : body === undefined ? undefined : (fill(body) as object),
  };
}
