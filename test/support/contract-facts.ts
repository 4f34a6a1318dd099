import type { SiteFacts } from '../../server/rules/contract-events.ts';

/** T1 of DOMAIN §4.3: Hikari Next with a telephone and a gateway of the list; eligible. */
export const t1: SiteFacts = {
  line: 'NEXT_OTHER',
  access: 'DIRECT',
  collabCarrier: null,
  hgwModel: 'PR-400KI',
  denwa: 'STANDARD',
  rental: false,
  officeEq: 'no',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};
