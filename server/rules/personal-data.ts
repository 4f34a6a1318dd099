/**
 * Every table of the database: what it holds, whose it is, how long it is kept, and what becomes of it when a customer asks for erasure (DOMAIN §12).
 * Disclosure, erasure, the daily sweep and docs/operations/privacy.md all go by this one list; a table that is not in it fails a test.
 *
 * The お客さまID stands in one column of one table. Everything else about a household hangs on random ids, so once that column is empty the rest is
 * figures without a name.
 */

/** How many days; from configuration, section `retention`. */
export type RetentionDays = {
  /** After the last contract of a customer has ended. */
  readonly customers: number;
  /** What gateways reported, what they were told and asked. */
  readonly reports: number;
  readonly notices: number;
  readonly requests: number;
};

export type Kept =
  | { readonly kind: 'installation' }
  /** Deleted with the row that it belongs to. */
  | { readonly kind: 'with'; readonly parent: string }
  /** Swept by its own room, which says when. */
  | { readonly kind: 'own'; readonly where: string }
  | { readonly kind: 'days'; readonly days: keyof RetentionDays; readonly from: string; readonly only?: string }
  | { readonly kind: 'customer' };

/** Which rows are a customer's: those whose `column` names a row of `parent` that is. */
export type Link =
  | { readonly parent: string; readonly column: string; readonly key?: string }
  /** A gateway may have stood elsewhere before: only what came while it stood at the customer's site. */
  | { readonly parent: 'gateways'; readonly column: 'gateway_id'; readonly since: string };

export type Erasure =
  | { readonly kind: 'delete' }
  /** The row stays, these columns are emptied; `now` is the time of the erasure. */
  | { readonly kind: 'blank'; readonly set: Readonly<Record<string, string>> }
  /** Stays without a name: what charges are proven by. */
  | { readonly kind: 'keep'; readonly why: string };

export type DataTable = {
  readonly holds: string;
  readonly kept: Kept;
  /** Left out: nothing of a customer. */
  readonly link?: Link;
  readonly erase?: Erasure;
  /** Only when the gateway has let go of everything: until then its notice still tells it to remove. */
  readonly isLast?: true;
};

const installation: Kept = { kind: 'installation' };
const withCustomer: Kept = { kind: 'customer' };
const remove: Erasure = { kind: 'delete' };
const proof = 'what a provider was charged for; names nobody';

/** Parents before children, and before whatever points at them. */
export const dataTables: Readonly<Record<string, DataTable>> = {
  customers: {
    holds: 'お客さまID, and the random id that stands for it everywhere else',
    kept: { kind: 'days', days: 'customers', from: 'the end of the last contract' },
    link: { parent: 'customers', column: 'id' },
    erase: { kind: 'blank', set: { customer_id: 'NULL', erased_at: 'now' } },
  },
  sites: {
    holds: 'random id and label of a site',
    kept: withCustomer,
    link: { parent: 'customers', column: 'customer' },
    erase: { kind: 'blank', set: { label: "''" } },
  },
  gateways: {
    holds: 'a box: model, firmware, whether it is online, and the site where it stands',
    kept: installation,
    link: { parent: 'sites', column: 'site_id' },
    erase: { kind: 'blank', set: { site_id: 'NULL', bound_at: 'NULL' } },
    isLast: true,
  },
  contract_facts: {
    holds: 'line, telephone, gateway and rental under contract, from when on',
    kept: withCustomer,
    link: { parent: 'sites', column: 'site_id' },
    erase: remove,
  },
  contract_events: {
    holds: '解約, 転用, 機器交換 …: what happened to a contract, and who entered it',
    kept: withCustomer,
    link: { parent: 'sites', column: 'site_id' },
    erase: remove,
  },
  contract_events_settled: {
    holds: 'whether a contract event was applied or taken back',
    kept: { kind: 'with', parent: 'contract_events' },
    link: { parent: 'contract_events', column: 'event_id' },
    erase: remove,
  },
  consents: {
    holds: 'who agreed to what, when and how, under the provider’s number',
    kept: withCustomer,
    link: { parent: 'customers', column: 'customer' },
    erase: remove,
  },
  consent_withdrawals: {
    holds: 'what was taken back, when and how',
    kept: { kind: 'with', parent: 'consents' },
    link: { parent: 'consents', column: 'consent_id' },
    erase: remove,
  },
  targets: {
    holds: 'one software for one site: state, dates, plan, version',
    kept: withCustomer,
    link: { parent: 'sites', column: 'site_id' },
    // The order and the dates stay: a provider was charged for them, and they name nobody.
    erase: { kind: 'blank', set: { consent_id: 'NULL' } },
  },
  target_events: {
    holds: 'every step of a target, when and by whom',
    kept: withCustomer,
    link: { parent: 'targets', column: 'target_id' },
    erase: { kind: 'blank', set: { detail: "'{}'" } },
  },
  target_plans: {
    holds: 'the plan of a target from when on',
    kept: withCustomer,
    link: { parent: 'targets', column: 'target_id' },
    erase: { kind: 'keep', why: proof },
  },
  target_days: {
    holds: 'a day of one software at one gateway: hours, memory, restarts, bytes',
    kept: { kind: 'own', where: 'server/rules/telemetry-day.ts' },
    link: { parent: 'targets', column: 'target_id' },
    erase: remove,
  },
  silent_deployments: {
    holds: 'a deadline that passed without a word',
    kept: { kind: 'days', days: 'reports', from: 'found_at' },
    link: { parent: 'targets', column: 'target_id' },
    erase: remove,
  },
  applications: {
    holds: 'the provider’s number of an application, and how far it has come',
    kept: withCustomer,
    link: { parent: 'customers', column: 'customer' },
    erase: remove,
  },
  application_steps: {
    holds: 'every step of an application, when and by whom',
    kept: { kind: 'with', parent: 'applications' },
    link: { parent: 'applications', column: 'application_id' },
    erase: remove,
  },
  erasures: {
    holds: 'that a customer asked for erasure, when, and when it was finished',
    kept: installation,
    link: { parent: 'customers', column: 'customer' },
    erase: { kind: 'keep', why: 'the proof that it was done; names nobody' },
  },
  reports: {
    holds: 'what a gateway said happened: installs, failures, what a resident answered',
    kept: { kind: 'days', days: 'reports', from: 'received_at' },
    link: { parent: 'gateways', column: 'gateway_id', since: 'received_at' },
    erase: remove,
    isLast: true,
  },
  notices: {
    holds: 'what a gateway was told to run',
    kept: { kind: 'days', days: 'notices', from: 'expires_at' },
    link: { parent: 'gateways', column: 'gateway_id', since: 'issued_at' },
    erase: remove,
    isLast: true,
  },
  gateway_days: {
    holds: 'a day of one gateway: hours, memory, control bytes',
    kept: { kind: 'own', where: 'server/rules/telemetry-day.ts' },
    link: { parent: 'gateways', column: 'gateway_id', since: 'day + 1' },
    erase: remove,
    isLast: true,
  },
  gateway_requests: {
    holds: 'a wish of the operator to a gateway (bundle, resync)',
    kept: { kind: 'days', days: 'requests', from: 'expires_at', only: 'NOT EXISTS (SELECT 1 FROM bundles b WHERE b.request_id = t.id)' },
    link: { parent: 'gateways', column: 'gateway_id', since: 'created_at' },
    erase: remove,
    isLast: true,
  },
  bundles: {
    holds: 'that a diagnostic bundle came',
    kept: { kind: 'days', days: 'requests', from: 'received_at' },
    link: { parent: 'gateways', column: 'gateway_id', since: 'received_at' },
    erase: remove,
    isLast: true,
  },

  // ------------------------------------------------------------------ nothing of a customer
  audit: { holds: 'who changed or read what, and why; random ids only, never an お客さまID', kept: installation },
  report_marks: { holds: 'up to which report a gateway is acknowledged', kept: installation },
  telemetry_messages: { holds: 'which daily messages were taken', kept: { kind: 'own', where: 'server/rules/telemetry-day.ts' } },
  gateway_certificates: { holds: 'certificates of gateways', kept: installation },
  invitations: {
    holds: 'invitations of gateways, without their tokens',
    kept: { kind: 'days', days: 'requests', from: 'expires_at' },
  },
  device_crl: { holds: 'the list of revoked gateway certificates', kept: installation },
  settings: { holds: 'small facts of the installation', kept: installation },
  schema_migrations: { holds: 'which migrations were run', kept: installation },
  roots: { holds: 'signed roots', kept: installation },
  providers: { holds: 'providers, their contacts', kept: installation },
  provider_certificates: { holds: 'signer certificates of providers', kept: installation },
  certificate_requests: { holds: 'requests of providers for signer certificates', kept: installation },
  software: { holds: 'software of providers', kept: installation },
  software_events: { holds: 'every step of a software', kept: { kind: 'with', parent: 'software' } },
  software_classes: { holds: 'the menu of a software from when on', kept: installation },
  releases: { holds: 'releases of software', kept: installation },
  packages: { holds: 'packages of releases', kept: installation },
  measured_releases: { holds: 'uploads that are not registered', kept: { kind: 'own', where: 'server/flows/drop-measured.ts' } },
  measured_packages: { holds: 'packages of such uploads', kept: { kind: 'with', parent: 'measured_releases' } },
  replaced_packages: { holds: 'files whose signature was renewed', kept: { kind: 'own', where: 'server/flows/drop-measured.ts' } },
  work_orders: { holds: 'work orders of providers', kept: installation },
  work_order_items: { holds: 'what a work order was for', kept: { kind: 'with', parent: 'work_orders' } },
  billing_months: { holds: 'months that were closed', kept: installation },
  invoices: { holds: 'invoices to providers', kept: installation },
  invoice_documents: { holds: 'the papers of an invoice; targets by random id', kept: installation },
  invoice_document_parts: { holds: 'the same, in parts', kept: { kind: 'with', parent: 'invoice_documents' } },
  charged_work_orders: { holds: 'which work orders were charged', kept: installation },
  ethics_cases: { holds: 'reviews of software', kept: installation },
  complaints: { holds: 'what was said of a software; no personal data', kept: installation },
  ethics_notes: { holds: 'notes and evidence of a review; no personal data', kept: installation },
  pending_changes: { holds: 'what waited for a second person; targets by random id', kept: installation },
  api_tokens: { holds: 'hashes of access tokens, and what their holders are called', kept: installation },
  request_keys: { holds: 'answers to requests that may be sent twice', kept: { kind: 'own', where: 'server/flows/once-per-key.ts' } },
};

export type Holding = { readonly endedMs: number | undefined; readonly leasedUntilMs: number | undefined; readonly isPurged: boolean };
export type ErasureDecision =
  | { readonly kind: 'blocked'; readonly open: number }
  /** All but what the gateway still needs to be told. */
  | { readonly kind: 'begin'; readonly finishMs: number }
  | { readonly kind: 'finish' };

/**
 * Whether a customer can be erased now. A contract in use cannot be without its customer. What ended may still lie on a gateway that nobody has reached:
 * its notice goes on saying that it is removed until the gateway says so, or until its lease and the days after it are over.
 *
 * @param purgedFrom  when a gateway deletes by itself what was leased until then (rules/lease.ts)
 */
export function decideErasure(held: readonly Holding[], purgedFrom: (leasedUntilMs: number) => number, nowMs: number): ErasureDecision {
  const open = held.filter(({ endedMs }) => endedMs === undefined).length;
  if (open > 0) return { kind: 'blocked', open };
  const waits = held.flatMap(({ leasedUntilMs, isPurged }) => (isPurged || leasedUntilMs === undefined ? [] : [purgedFrom(leasedUntilMs)]));
  const finishMs = Math.max(0, ...waits);
  return nowMs < finishMs ? { kind: 'begin', finishMs } : { kind: 'finish' };
}
