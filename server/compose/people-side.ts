/** The people's side, joined: flows behind the HTTP API. */
import { makeApi } from '../api/app.ts';
import type { Patience } from '../api/connections.ts';
import type { Route } from '../api/route.ts';
import { auditRoutes } from '../api/routes/audit.ts';
import { catalogueRoutes } from '../api/routes/catalogue.ts';
import { changeRoutes } from '../api/routes/changes.ts';
import { contractRoutes } from '../api/routes/contract.ts';
import { customerRoutes } from '../api/routes/customers.ts';
import { ethicsRoutes } from '../api/routes/ethics.ts';
import { gatewayRoutes } from '../api/routes/gateways.ts';
import { operationRoutes } from '../api/routes/operations.ts';
import { providerRoutes } from '../api/routes/providers.ts';
import { releaseRoutes } from '../api/routes/releases.ts';
import { restoreRoutes } from '../api/routes/restore.ts';
import { targetRoutes } from '../api/routes/targets.ts';
import { makeAdmitRelease } from '../flows/admit-release.ts';
import { makeAuditLog } from '../flows/audit-log.ts';
import { makeCatalogueQueries } from '../flows/catalogue-queries.ts';
import { makeContractEvents } from '../flows/contract-events.ts';
import { makeCustomers } from '../flows/customers.ts';
import { makeDayTick } from '../flows/day-tick.ts';
import { makeEndSoftware } from '../flows/end-software.ts';
import { makeEthics } from '../flows/ethics.ts';
import { makeEthicsQueries } from '../flows/ethics-queries.ts';
import { contractDayWork, type EvaluateDays, makeEvaluateDays } from '../flows/evaluate-days.ts';
import { makeExplainDelivery } from '../flows/explain-delivery.ts';
import { type Addresses, makeGateways } from '../flows/gateways.ts';
import { makeOncePerKey } from '../flows/once-per-key.ts';
import { makeOrderDelivery } from '../flows/order-delivery.ts';
import { makePendingChanges } from '../flows/pending-changes.ts';
import { makeProviders } from '../flows/providers.ts';
import { isPublicationHeld, makePublicationHold } from '../flows/publication-hold.ts';
import { type CallLimits, makeRecogniseCaller } from '../flows/recognise-caller.ts';
import { makeTargets } from '../flows/targets.ts';
import { makeTokens } from '../flows/tokens.ts';
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Log, PackageFiles, ProviderCa, Random } from '../ports.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';

export type PeopleSideParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly packages: PackageFiles;
  readonly providerCa: ProviderCa;
  readonly heads: AuditHeads;
  readonly catalogue: EligibilityCatalogue;
  readonly unitBytes: number;
  readonly access: { readonly limits: CallLimits; readonly trustedProxies: readonly string[]; readonly patience?: Patience };
  /** Where gateways find this server. */
  readonly addresses: Addresses;
};

export function makePeopleSide(parts: PeopleSideParts) {
  const tokens = makeTokens(parts);
  const evaluateDays = makeEvaluateDays(parts);
  const endSoftware = makeEndSoftware(parts);
  const routes = peopleRoutes(parts, { tokens, evaluateDays, endSoftware });
  const app = makeApi({
    ...parts,
    ...parts.access,
    routes,
    callers: makeRecogniseCaller({ clock: parts.clock, limits: parts.access.limits, tokens }),
    oncePerKey: makeOncePerKey(parts),
  });
  const dayTick = makeDayTick({
    ...parts,
    evaluateDays,
    finishEndedSoftware: endSoftware.finish,
    isHeld: () => isPublicationHeld(parts.db),
  });
  return { app, routes, tokens, dayTick };
}

type Shared = {
  readonly tokens: ReturnType<typeof makeTokens>;
  readonly evaluateDays: EvaluateDays;
  readonly endSoftware: ReturnType<typeof makeEndSoftware>;
};

function peopleRoutes(parts: PeopleSideParts, { tokens, evaluateDays, endSoftware }: Shared): Route[] {
  const targets = makeTargets(parts);
  const queries = makeCatalogueQueries({ ...parts, startedAtMs: parts.clock.nowMs() });
  const work = {
    'contract-day': contractDayWork(evaluateDays),
    prohibit: endSoftware.work('prohibit'),
    withdraw: endSoftware.work('withdraw'),
    cancel: targets.cancelWork,
  };
  return [
    ...operationRoutes({ tokens, queries }),
    ...auditRoutes({ audit: makeAuditLog(parts) }),
    ...restoreRoutes({ hold: makePublicationHold(parts) }),
    ...providerRoutes({ providers: makeProviders(parts) }),
    ...releaseRoutes({ admitRelease: makeAdmitRelease(parts), targets, queries }),
    ...customerRoutes({ customers: makeCustomers(parts) }),
    ...contractRoutes({ events: makeContractEvents(parts), evaluateDays }),
    ...gatewayRoutes({ gateways: makeGateways(parts) }),
    ...targetRoutes({ orderDelivery: makeOrderDelivery(parts), targets, explainDelivery: makeExplainDelivery(parts) }),
    ...catalogueRoutes(parts),
    ...ethicsRoutes({ ethics: makeEthics({ ...parts, endSoftware }), ethicsQueries: makeEthicsQueries(parts) }),
    ...changeRoutes({ changes: makePendingChanges({ ...parts, work }), endSoftware }),
  ];
}
