/** A provider's way to its customers: upload, price, registration, halt. */
import * as z from 'zod/mini';
import { count, digest, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeDropMeasured } from '../../flows/drop-measured.ts';
import type { makeHaltRelease } from '../../flows/halt-release.ts';
import type { makeMeasureRelease } from '../../flows/measure-release.ts';
import type { makeMeasuredQueries } from '../../flows/measured-queries.ts';
import type { makeRegisterReleases } from '../../flows/register-releases.ts';
import { releaseMachine } from '../../rules/release-states.ts';
import { month, time, words } from '../fields.ts';
import { admission, classes, refusedModels, shownAdmission, shownClasses, shownOrder, shownYen, work, yen } from '../release-shapes.ts';
import { type Route, route } from '../route.ts';
import { shown } from '../shown.ts';
import { workOrder } from './work.ts';

const releaseState = z.enum(Object.keys(releaseMachine) as (keyof typeof releaseMachine)[]);
/** Bounded: one work order with its fees has to be read by a person. */
const releases = z.array(randomId).check(z.minLength(1), z.maxLength(20));

const shownRelease = { release: shown.release, software: shown.software, version: shown.version };

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
  firstChargedMonth: month,
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
      ...classes,
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
      example: { answer: { ...shownRelease, sha256: shown.sha256, state: 'MEASURED', isRepeat: false, admission: shownAdmission } },
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
      example: {
        answer: {
          ...shownRelease,
          provider: shown.provider,
          uploadedAt: shown.time,
          dropsAt: '2026-12-22T01:30:00.000Z',
          order: null,
          packages: [{ sha256: shown.sha256, bytes: 412_160, installedBytes: 902_144, models: [shown.model] }],
        },
      },
      handle: ({ actor, page }) => measuredQueries.list(actor, page),
    }),
    route({
      method: 'POST',
      path: '/uploads/:release/discard',
      roles: ['operator', 'provider'],
      summary: 'Drop an upload that will not be registered',
      params: z.strictObject({ release: randomId }),
      answer: z.strictObject({ release: randomId, discarded: z.literal(true) }),
      example: { params: { release: shown.release }, answer: { release: shown.release, discarded: true } },
      handle: ({ params, actor }) => dropMeasured.discard(params.release, actor),
    }),
    route({
      method: 'POST',
      path: '/registrations/quote',
      roles: ['operator', 'provider'],
      summary: 'What registering these uploads as one work order would cost now',
      body: z.strictObject({ releases }),
      answer: plan,
      example: {
        body: { releases: [shown.release] },
        answer: {
          ...shownYen,
          firstChargedMonth: '2026-12',
          releases: [
            {
              ...shownRelease,
              work: 'new',
              baseYen: 11_000,
              targetYen: 110,
              targets: 0,
              refusedModels: [],
              ...shownClasses,
              flags: [],
            },
          ],
        },
      },
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
      example: { body: { releases: [shown.release], accept: shownYen }, answer: { ...shownOrder, isRepeat: false } },
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
        example: {
          body: { software: shown.software, version: shown.version, reason: '夜間に停止するため' },
          answer: {
            ...shownRelease,
            state: wish === 'halt' ? 'HALTED' : 'ADMITTED',
            haltedBy: wish === 'halt' ? 'provider' : null,
            waiting: 2,
            running: 40,
          },
        },
        handle: ({ body, actor }) => haltRelease({ wish, ...body }, actor),
      }),
    ),
  ];
}
