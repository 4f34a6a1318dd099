/**
 * How the price sheet is read where it can be read in two ways (DOMAIN §7). The operator may choose otherwise in the configuration, for the months
 * that are still open; what a closed month was charged by stands in its invoices.
 */
export type BillingReadings = {
  /** D-09: when a target is registered. `ready`: when it leaves HOLD, since until then the operator itself withholds delivery. `accepted`: when it was ordered. */
  readonly registeredAt: 'ready' | 'accepted';
  /**
   * D-07: what one plan is for. `software`: each software at a site, since a plan follows that software's size. `site`: all software of the provider at
   * a site together, by the sum of their sizes.
   */
  readonly planPer: 'software' | 'site';
};

export const defaultReadings: BillingReadings = { registeredAt: 'ready', planPer: 'software' };
