/** A provider's way to its customers: upload, price, registration, halt. */
import * as z from 'zod/mini';
import { count, digest, modelName, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeDropMeasured } from '../../flows/drop-measured.ts';
import type { makeHaltRelease } from '../../flows/halt-release.ts';
import type { makeMeasureRelease } from '../../flows/measure-release.ts';
import type { makeMeasuredQueries } from '../../flows/measured-queries.ts';
import type { makeRegisterReleases } from '../../flows/register-releases.ts';
import { releaseMachine } from '../../rules/release-states.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { workOrder } from './work.ts';

const month = z.string().check(z.regex(/^\d{4}-\d{2}$/));
const releaseState = z.enum(Object.keys(releaseMachine) as (keyof typeof releaseMachine)[]);
const priceClass = z.literal([1, 2, 3, 4, 5]);
const yen = z.strictObject({ oneOffYen: count, monthlyYen: count });
const sizes = { storedBytes: count, installedBytes: count, menu: priceClass, plan: priceClass, flags: z.array(z.enum(['SIZE_UNIT_GREY'])) };
const refusedModels = z.array(
  z.strictObject({
    model: modelName,
    code: z.enum(['SIZE_OVER_LIMIT', 'RESOURCES_OVER_LIMIT']),
    limitName: z.string(),
    limit: count,
    actual: count,
  }),
);
const work = z.enum(['new', 'change', 'other']);
/** Bounded: one work order with its fees has to be read by a person. */
const releases = z.array(randomId).check(z.minLength(1), z.maxLength(20));

export const admission = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('repeat'), version }),
  z.strictObject({ kind: z.literal('resign'), replaces: digest, ...sizes }),
  z.strictObject({ kind: z.literal('admit'), work: z.optional(work), refusedModels, ...sizes }),
]);
const measured = z.strictObject({
  release: randomId,
  software: softwareId,
  version,
  sha256: digest,
  state: releaseState,
  isRepeat: z.boolean(),
  admission,
});
const plan = z.strictObject({
  ...yen.shape,
  firstBilledMonth: month,
  releases: z.array(
    z.strictObject({
      release: randomId,
      software: softwareId,
      version,
      work,
      baseYen: count,
      targetYen: count,
      targets: count,
      refusedModels,
      ...sizes,
    }),
  ),
});
const halted = z.strictObject({
  release: randomId,
  software: softwareId,
  version,
  state: releaseState,
  haltedBy: z.nullable(z.enum(['operator', 'provider'])),
  waiting: count,
  running: count,
});

export function publishingRoutes({
  measureRelease,
  measuredQueries,
  dropMeasured,
  registerReleases,
  haltRelease,
}: {
  measureRelease: ReturnType<typeof makeMeasureRelease>;
  measuredQueries: ReturnType<typeof makeMeasuredQueries>;
  dropMeasured: ReturnType<typeof makeDropMeasured>;
  registerReleases: ReturnType<typeof makeRegisterReleases>;
  haltRelease: ReturnType<typeof makeHaltRelease>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/uploads',
      roles: ['operator', 'provider'],
      summary: 'Upload a .tsg: proven and measured; costs nothing and reaches nobody until it is registered',
      status: 201,
      isUpload: true,
      answer: measured,
      handle: ({ stream, actor }) => measureRelease(stream, actor),
    }),
    route({
      method: 'GET',
      path: '/uploads',
      roles: ['operator', 'provider'],
      summary: 'What was uploaded and waits to be registered',
      list: randomId,
      answer: z.strictObject({
        release: randomId,
        provider: providerId,
        software: softwareId,
        version,
        uploadedAt: time,
        dropsAt: z.nullable(time),
        order: z.nullable(randomId),
        packages: z.array(z.strictObject({ sha256: digest, bytes: count, installedBytes: count, models: z.array(z.string()) })),
      }),
      handle: ({ actor, page }) => measuredQueries.list(actor, page),
    }),
    route({
      method: 'POST',
      path: '/uploads/:release/discard',
      roles: ['operator', 'provider'],
      summary: 'Drop an upload that will not be registered',
      params: z.strictObject({ release: randomId }),
      answer: z.strictObject({ release: randomId, discarded: z.literal(true) }),
      handle: ({ params, actor }) => dropMeasured.discard(params.release, actor),
    }),
    route({
      method: 'POST',
      path: '/registrations/quote',
      roles: ['operator', 'provider'],
      summary: 'What registering these uploads as one work order would cost now',
      body: z.strictObject({ releases }),
      answer: plan,
      handle: ({ body, actor }) => registerReleases.quote(body.releases, actor),
    }),
    route({
      method: 'POST',
      path: '/registrations',
      roles: ['operator', 'provider'],
      summary: 'Register uploads as one work order, at exactly the price that is named; again it is the same order, charged once',
      status: 201,
      body: z.strictObject({ releases, accept: yen }),
      answer: z.strictObject({ ...workOrder.shape, isRepeat: z.boolean() }),
      handle: ({ body, actor }) => registerReleases.register(body.releases, body.accept, actor),
    }),
    ...(['halt', 'resume'] as const).map((wish) =>
      route({
        method: 'POST',
        path: `/releases/${wish}`,
        roles: ['operator', 'provider'],
        summary: { halt: 'No new installs of a release; running copies stay', resume: 'Let a release be installed again' }[wish],
        body: z.strictObject({ software: softwareId, version, reason: words(1000) }),
        answer: halted,
        handle: ({ body, actor }) => haltRelease({ wish, ...body }, actor),
      }),
    ),
  ];
}
