/** The people's side, joined: flows behind the HTTP API. */
import { readDocsFile } from '../adapters/docs-page.ts';
import { makeApi } from '../api/app.ts';
import type { Patience } from '../api/connections.ts';
import type { Route } from '../api/route.ts';
import { applicationRoutes } from '../api/routes/applications.ts';
import { auditRoutes } from '../api/routes/audit.ts';
import { billingRoutes } from '../api/routes/billing.ts';
import { brokerRoutes } from '../api/routes/broker.ts';
import { catalogueRoutes } from '../api/routes/catalogue.ts';
import { certificateRequestRoutes } from '../api/routes/certificate-requests.ts';
import { changeRoutes } from '../api/routes/changes.ts';
import { consentRoutes } from '../api/routes/consents.ts';
import { contractRoutes } from '../api/routes/contract.ts';
import { customerRoutes } from '../api/routes/customers.ts';
import { ethicsRoutes } from '../api/routes/ethics.ts';
import { explainRoutes } from '../api/routes/explain.ts';
import { fieldReportRoutes } from '../api/routes/field-report.ts';
import { gatewayRoutes } from '../api/routes/gateways.ts';
import { notDeliveredRoutes } from '../api/routes/not-delivered.ts';
import { operationRoutes } from '../api/routes/operations.ts';
import { privacyRoutes } from '../api/routes/privacy.ts';
import { providerRoutes } from '../api/routes/providers.ts';
import { publishingRoutes } from '../api/routes/publishing.ts';
import { releaseRoutes } from '../api/routes/releases.ts';
import { restoreRoutes } from '../api/routes/restore.ts';
import { targetRoutes } from '../api/routes/targets.ts';
import { workRoutes } from '../api/routes/work.ts';
import { makeAdmitRelease } from '../flows/admit-release.ts';
import { makeApplications } from '../flows/applications.ts';
import { makeAuditLog } from '../flows/audit-log.ts';
import { makeBilledNotInstalled } from '../flows/billed-not-installed.ts';
import { makeCatalogueQueries } from '../flows/catalogue-queries.ts';
import { makeCertificateRequests } from '../flows/certificate-requests.ts';
import { makeCloseMonth } from '../flows/close-month.ts';
import { makeClosedMonths } from '../flows/closed-months.ts';
import { makeConsentQueries } from '../flows/consent-queries.ts';
import { makeConsents } from '../flows/consents.ts';
import { makeContractEvents } from '../flows/contract-events.ts';
import { makeCustomers } from '../flows/customers.ts';
import { makeDayTick } from '../flows/day-tick.ts';
import { makeDeviceCrl } from '../flows/device-crl.ts';
import { type DropMeasured, makeDropMeasured } from '../flows/drop-measured.ts';
import { makeEndSoftware } from '../flows/end-software.ts';
import { makeEthics } from '../flows/ethics.ts';
import { makeEthicsQueries } from '../flows/ethics-queries.ts';
import { contractDayWork, type EvaluateDays, makeEvaluateDays } from '../flows/evaluate-days.ts';
import { makeExplainDelivery } from '../flows/explain-delivery.ts';
import { makeFieldReport } from '../flows/field-report.ts';
import { makeFindSilent } from '../flows/find-silent.ts';
import { type Addresses, makeGateways } from '../flows/gateways.ts';
import { makeHaltRelease } from '../flows/halt-release.ts';
import { makeHousekeeping } from '../flows/housekeeping.ts';
import { makeMeasureRelease } from '../flows/measure-release.ts';
import { makeMeasuredQueries } from '../flows/measured-queries.ts';
import { makeNotDelivered } from '../flows/not-delivered.ts';
import { makeOncePerKey } from '../flows/once-per-key.ts';
import { makeOrderDelivery } from '../flows/order-delivery.ts';
import { makePendingChanges } from '../flows/pending-changes.ts';
import { makePrivacy } from '../flows/privacy.ts';
import { makeProviders } from '../flows/providers.ts';
import { isPublicationHeld, makePublicationHold } from '../flows/publication-hold.ts';
import { makeQuoteWork } from '../flows/quote-work.ts';
import { type CallLimits, makeRecogniseCaller } from '../flows/recognise-caller.ts';
import { makeRegisterReleases, type WorkCompletion } from '../flows/register-releases.ts';
import { makeSweepRetention } from '../flows/sweep-retention.ts';
import { makeSweepTelemetry } from '../flows/sweep-telemetry.ts';
import { makeTargetQueries } from '../flows/target-queries.ts';
import { makeTargets } from '../flows/targets.ts';
import { makeTellNotDelivered } from '../flows/tell-not-delivered.ts';
import { makeTokens } from '../flows/tokens.ts';
import { makeWorkOrders } from '../flows/work-orders.ts';
import type { CrlMaker } from '../ports/gateways.ts';
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Log, PackageFiles, ProviderCa, Random } from '../ports.ts';
import type { EligibilityCatalogue } from '../rules/eligibility-catalogue.ts';
import type { BillingSettings } from '../rules/month-account.ts';
import type { RetentionDays } from '../rules/personal-data.ts';

export type PeopleSideParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly packages: PackageFiles;
  readonly providerCa: ProviderCa;
  readonly crls: CrlMaker;
  readonly heads: AuditHeads;
  readonly catalogue: EligibilityCatalogue;
  readonly unitBytes: number;
  readonly work: { readonly completion: WorkCompletion; readonly measuredDays: number };
  readonly report: { readonly minGateways: number };
  readonly billing: BillingSettings;
  readonly retention: RetentionDays;
  readonly dataGraceDays: number;
  readonly access: { readonly limits: CallLimits; readonly trustedProxies: readonly string[]; readonly patience?: Patience };
  /** Where gateways find this server. */
  readonly addresses: Addresses;
};

export function makePeopleSide(parts: PeopleSideParts) {
  const tokens = makeTokens(parts);
  const evaluateDays = makeEvaluateDays(parts);
  const endSoftware = makeEndSoftware(parts);
  const dropMeasured = makeDropMeasured({ ...parts, keepDays: parts.work.measuredDays });
  const certificateRequests = makeCertificateRequests(parts);
  const privacy = makePrivacy(parts);
  const notDelivered = makeNotDelivered(parts);
  const routes = peopleRoutes(parts, { tokens, evaluateDays, endSoftware, dropMeasured, certificateRequests, privacy, notDelivered });
  const app = makeApi({
    ...parts,
    ...parts.access,
    routes,
    callers: makeRecogniseCaller({ clock: parts.clock, limits: parts.access.limits, tokens }),
    oncePerKey: makeOncePerKey(parts),
    readDocsFile,
  });
  const dayTick = makeDayTick({
    ...parts,
    evaluateDays,
    finishEndedSoftware: endSoftware.finish,
    isHeld: () => isPublicationHeld(parts.db),
  });
  const housekeeping = makeHousekeeping({
    ...parts,
    jobs: {
      'measured-releases': dropMeasured.dropExpired,
      'certificate-requests': certificateRequests.refuseOld,
      telemetry: makeSweepTelemetry(parts),
      retention: makeSweepRetention(parts),
      erasures: privacy.sweep,
      'silent-deployments': makeFindSilent(parts),
      'not-delivered': makeTellNotDelivered({ ...parts, notDelivered }),
    },
  });
  return { app, routes, tokens, dayTick, housekeeping, sweepPackages: dropMeasured.sweep };
}

type Shared = {
  readonly tokens: ReturnType<typeof makeTokens>;
  readonly evaluateDays: EvaluateDays;
  readonly endSoftware: ReturnType<typeof makeEndSoftware>;
  readonly dropMeasured: DropMeasured;
  readonly certificateRequests: ReturnType<typeof makeCertificateRequests>;
  readonly privacy: ReturnType<typeof makePrivacy>;
  readonly notDelivered: ReturnType<typeof makeNotDelivered>;
};

function peopleRoutes(
  parts: PeopleSideParts,
  { tokens, evaluateDays, endSoftware, dropMeasured, certificateRequests, privacy, notDelivered }: Shared,
): Route[] {
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
    ...certificateRequestRoutes({ requests: certificateRequests }),
    ...releaseRoutes({ admitRelease: makeAdmitRelease(parts), targets, queries }),
    ...publishingRoutes({
      measureRelease: makeMeasureRelease({ ...parts, dropMeasured }),
      measuredQueries: makeMeasuredQueries({ ...parts, keepDays: parts.work.measuredDays }),
      dropMeasured,
      registerReleases: makeRegisterReleases({ ...parts, tables: parts.billing.tables, completion: parts.work.completion }),
      haltRelease: makeHaltRelease(parts),
    }),
    ...workRoutes({ workOrders: makeWorkOrders({ ...parts, tables: parts.billing.tables }) }),
    ...customerRoutes({ customers: makeCustomers(parts) }),
    ...privacyRoutes({ privacy }),
    ...notDeliveredRoutes({ notDelivered }),
    ...applicationRoutes({ applications: makeApplications(parts) }),
    ...consentRoutes({ consents: makeConsents(parts), consentQueries: makeConsentQueries(parts) }),
    ...contractRoutes({ events: makeContractEvents(parts), evaluateDays }),
    ...gatewayRoutes({ gateways: makeGateways(parts) }),
    ...fieldReportRoutes({ report: makeFieldReport(parts) }),
    ...brokerRoutes({ deviceCrl: makeDeviceCrl(parts) }),
    ...targetRoutes({ orderDelivery: makeOrderDelivery(parts), targets, targetQueries: makeTargetQueries(parts) }),
    ...explainRoutes({ explainDelivery: makeExplainDelivery(parts) }),
    ...catalogueRoutes(parts),
    ...billingRoutes({
      closeMonth: makeCloseMonth(parts),
      closedMonths: makeClosedMonths(parts),
      quoteWork: makeQuoteWork({ ...parts, tables: parts.billing.tables }),
      notInstalled: makeBilledNotInstalled(parts),
    }),
    ...ethicsRoutes({ ethics: makeEthics({ ...parts, endSoftware }), ethicsQueries: makeEthicsQueries(parts) }),
    ...changeRoutes({ changes: makePendingChanges({ ...parts, work }), endSoftware }),
  ];
}
