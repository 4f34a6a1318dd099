/** The people's side, joined: flows behind the HTTP API. */
import { makeApi } from '../api/app.ts';
import type { Route } from '../api/route.ts';
import { customerRoutes } from '../api/routes/customers.ts';
import { gatewayRoutes } from '../api/routes/gateways.ts';
import { operationRoutes } from '../api/routes/operations.ts';
import { providerRoutes } from '../api/routes/providers.ts';
import { releaseRoutes } from '../api/routes/releases.ts';
import { targetRoutes } from '../api/routes/targets.ts';
import { makeAdmitRelease } from '../flows/admit-release.ts';
import { makeCatalogueQueries } from '../flows/catalogue-queries.ts';
import { makeCustomers } from '../flows/customers.ts';
import { makeExplainDelivery } from '../flows/explain-delivery.ts';
import { type Addresses, makeGateways } from '../flows/gateways.ts';
import { makeOrderDelivery } from '../flows/order-delivery.ts';
import { makeProviders } from '../flows/providers.ts';
import { makeTargets } from '../flows/targets.ts';
import { makeTokens } from '../flows/tokens.ts';
import type { Clock, Db, Log, PackageFiles, ProviderCa, Random } from '../ports.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';

export type PeopleSideParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly packages: PackageFiles;
  readonly providerCa: ProviderCa;
  readonly catalogue: EligibilityCatalogue;
  readonly unitBytes: number;
  /** Where gateways find this server. */
  readonly addresses: Addresses;
};

export function makePeopleSide(parts: PeopleSideParts) {
  const tokens = makeTokens(parts);
  return { app: makeApi({ routes: peopleRoutes(parts, tokens), recognise: tokens.recognise, clock: parts.clock, log: parts.log }), tokens };
}

function peopleRoutes(parts: PeopleSideParts, tokens: ReturnType<typeof makeTokens>): Route[] {
  const targets = makeTargets(parts);
  const queries = makeCatalogueQueries({ ...parts, startedAtMs: parts.clock.nowMs() });
  return [
    ...operationRoutes({ tokens, queries }),
    ...providerRoutes({ providers: makeProviders(parts) }),
    ...releaseRoutes({ admitRelease: makeAdmitRelease(parts), targets, queries }),
    ...customerRoutes({ customers: makeCustomers(parts) }),
    ...gatewayRoutes({ gateways: makeGateways(parts) }),
    ...targetRoutes({ orderDelivery: makeOrderDelivery(parts), targets, explainDelivery: makeExplainDelivery(parts) }),
  ];
}
