/** What providers deposit: packages, releases, software. */
import * as z from 'zod/mini';
import { count, digest, positive, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeAdmitRelease } from '../../flows/admit-release.ts';
import type { makeCatalogueQueries } from '../../flows/catalogue-queries.ts';
import type { makeTargets } from '../../flows/targets.ts';
import { type SoftwareState, softwareMachine } from '../../rules/software-states.ts';
import { time, words } from '../fields.ts';
import { admission, shownAdmission, shownClasses } from '../release-shapes.ts';
import { everyRole, type Route, route } from '../route.ts';
import { code, detail, maybe, menu, targetState } from '../shapes.ts';
import { shown } from '../shown.ts';

const softwareState = z.enum(Object.keys(softwareMachine) as SoftwareState[]);
export function releaseRoutes({
  admitRelease,
  targets,
  queries,
}: {
  admitRelease: ReturnType<typeof makeAdmitRelease>;
  targets: ReturnType<typeof makeTargets>;
  queries: ReturnType<typeof makeCatalogueQueries>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/releases',
      roles: ['operator'],
      summary: 'Upload a .tsg: verified, measured, classed and admitted at once, with a work order of its own',
      status: 201,
      isUpload: true,
      answer: z.strictObject({
        release: randomId,
        software: softwareId,
        version,
        sha256: digest,
        isRepeat: z.boolean(),
        admission,
      }),
      example: {
        answer: {
          release: shown.release,
          software: shown.software,
          version: shown.version,
          sha256: shown.sha256,
          isRepeat: false,
          admission: shownAdmission,
        },
      },
      handle: ({ stream, actor }) => admitRelease(stream, actor),
    }),
    route({
      method: 'GET',
      path: '/releases',
      roles: everyRole,
      summary: 'Releases of a software',
      query: z.strictObject({ software: softwareId }),
      list: randomId,
      answer: z.strictObject({
        release: randomId,
        software: softwareId,
        version,
        state: z.enum(['MEASURED', 'ADMITTED', 'HALTED', 'WITHDRAWN']),
        storedBytes: positive,
        installedBytes: positive,
        unitBytes: positive,
        menu,
        plan: menu,
        admittedAt: maybe(time),
        packages: z.array(z.strictObject({ sha256: digest, bytes: positive, installedBytes: positive, models: z.array(z.string()) })),
      }),
      example: {
        query: { software: shown.software },
        answer: {
          release: shown.release,
          software: shown.software,
          version: shown.version,
          state: 'ADMITTED',
          unitBytes: 1_000_000,
          ...shownClasses,
          admittedAt: shown.time,
          packages: [{ sha256: shown.sha256, bytes: 412_160, installedBytes: 902_144, models: [shown.model] }],
        },
      },
      handle: ({ query, actor, page }) => queries.releases(query.software, actor, page),
    }),
    route({
      method: 'POST',
      path: '/releases/deploy',
      roles: ['operator', 'provider'],
      summary: 'Want a release on targets that have the software',
      body: z.strictObject({
        software: softwareId,
        version,
        targets: z.optional(z.array(randomId).check(z.minLength(1), z.maxLength(10_000))),
        rollbackReason: z.optional(words(200)),
      }),
      oncePerKey: true,
      answer: z.strictObject({
        moved: count,
        unchanged: count,
        refused: count,
        /** A thousand at most, the refused ones first. */
        targets: z.array(
          z.strictObject({
            target: randomId,
            outcome: z.enum(['moved', 'unchanged', 'refused']),
            state: targetState,
            code: z.optional(code),
            detail: z.optional(detail),
          }),
        ),
      }),
      example: {
        body: { software: shown.software, version: shown.version, targets: [shown.target] },
        answer: { moved: 0, unchanged: 1, refused: 0, targets: [{ target: shown.target, outcome: 'unchanged', state: 'READY' }] },
      },
      handle: ({ body, actor }) => targets.deploy(body, actor),
    }),
    route({
      method: 'GET',
      path: '/software',
      roles: everyRole,
      summary: 'Software',
      list: softwareId,
      answer: z.strictObject({
        software: softwareId,
        provider: providerId,
        state: softwareState,
        registeredAt: maybe(time),
        version: maybe(version),
        menu: maybe(menu),
        plan: maybe(menu),
      }),
      example: {
        answer: {
          software: shown.software,
          provider: shown.provider,
          state: 'PUBLISHED',
          registeredAt: shown.time,
          version: shown.version,
          menu: 1,
          plan: 1,
        },
      },
      handle: ({ actor, page }) => queries.software(actor, page),
    }),
  ];
}
