/** What providers deposit: packages, releases, software. */
import * as z from 'zod/mini';
import { randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeAdmitRelease } from '../../flows/admit-release.ts';
import type { makeCatalogueQueries } from '../../flows/catalogue-queries.ts';
import type { makeTargets } from '../../flows/targets.ts';
import { words } from '../fields.ts';
import { everyRole, type Route, route } from '../route.ts';

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
      roles: ['operator', 'provider'],
      summary: 'Upload a .tsg: verified, measured, classed and admitted',
      status: 201,
      isUpload: true,
      handle: ({ stream, actor }) => admitRelease(stream, actor),
    }),
    route({
      method: 'GET',
      path: '/releases',
      roles: everyRole,
      summary: 'Releases of a software',
      query: z.strictObject({ software: softwareId }),
      list: randomId,
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
      handle: ({ body, actor }) => targets.deploy(body, actor),
    }),
    route({
      method: 'GET',
      path: '/software',
      roles: everyRole,
      summary: 'Software',
      list: softwareId,
      handle: ({ actor, page }) => queries.software(actor, page),
    }),
  ];
}
