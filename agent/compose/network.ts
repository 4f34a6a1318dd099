import { X509Certificate } from 'node:crypto';
import { systemClock as clock } from '../adapters/clock.ts';
import { makeEstClient } from '../adapters/est-client.ts';
import { makeHttpsClient } from '../adapters/https-client.ts';
import { makeIdentityStore } from '../adapters/identity-store.ts';
import { makeLedgerStore } from '../adapters/ledger-store.ts';
import { makeOpenControlConnection } from '../adapters/mqtt-connection.ts';
import { makePartFiles } from '../adapters/part-files.ts';
import { systemRandom as random } from '../adapters/random.ts';
import { makeRootSource } from '../adapters/root-source.ts';
import { makeDownloadPackage } from '../flows/download-package.ts';
import { makeKeepLedger } from '../flows/keep-ledger.ts';
import type { Trust } from '../flows/keep-trust.ts';
import { makeRenewCertificate } from '../flows/renew-certificate.ts';
import { makeStayConnected } from '../flows/stay-connected.ts';
import type { EventLog, Identity } from '../ports.ts';
import { pingAnswerMs } from '../rules/keepalive.ts';
import { defaultBudget } from '../rules/ledger.ts';
import { networkFaultOf } from '../rules/network-fault.ts';
import * as wireModel from '../rules/wire-model.ts';

/** Everything that leaves the house by wire, and the ledger that counts it. */
export function composeNetwork(dataDir: string, { trust, log, enrolled }: { trust: Trust; log: EventLog; enrolled: Identity }) {
  const identities = makeIdentityStore(dataDir);
  // The server's CAs may change with a root; the certificate with a renewal: both are read anew for each connection.
  const identity = (): Identity => ({ ...(identities.load() ?? enrolled), serverCasPem: trust.root().serverCas });
  const budget = () => trust.notice()?.policy.budget ?? defaultBudget;
  const ledger = makeKeepLedger({ store: makeLedgerStore(dataDir), clock, log, nowMs: trust.nowMs, budget });
  const https = makeHttpsClient({ clock, ledger, wireModel, networkFaultOf });
  const link = makeStayConnected({
    open: makeOpenControlConnection({ clock, ledger, wireModel, networkFaultOf, answerMs: pingAnswerMs }),
    clock,
    random,
    identity,
    spending: ledger.reconnectSpending,
  });

  return {
    link,
    ledger,
    budget,
    identity,
    roots: makeRootSource({ https, identity }),
    download: makeDownloadPackage({
      https,
      parts: makePartFiles(),
      clock,
      random,
      log,
      trustFor: (base) => {
        const { https: own, serverCasPem, privateKeyPem, certificatePem } = identity();
        return base === own ? { serverCasPem, client: { privateKeyPem, certificatePem } } : { serverCasPem };
      },
    }),
    renewCertificate: makeRenewCertificate({ est: makeEstClient({ https }), identities, log, validityOf }),
  };
}

function validityOf(certificatePem: string) {
  const { validFrom, validTo } = new X509Certificate(certificatePem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
