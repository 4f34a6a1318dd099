/** The gateways' side, joined: broker, HTTPS, notices, reports. Everything else of the server meets it at the database only. */
import type { AddressInfo } from 'node:net';
import { makeBroker } from '../adapters/broker.ts';
import { makeCertificateMaker } from '../adapters/est-crypto.ts';
import { makeCutOffBlocked } from '../flows/cut-off-blocked.ts';
import { makeEnrollGateway } from '../flows/enroll-gateway.ts';
import { makeGatewayDownloads } from '../flows/gateway-downloads.ts';
import { makeHearGateways } from '../flows/hear-gateways.ts';
import { makePublishNotice } from '../flows/publish-notice.ts';
import { makeNoticeDesk } from '../flows/refresh-notices.ts';
import { makeRenewCertificate } from '../flows/renew-certificate.ts';
import { makeTakePresence } from '../flows/take-presence.ts';
import { makeTakeReport } from '../flows/take-report.ts';
import { makeTakeTelemetry } from '../flows/take-telemetry.ts';
import { makeUseCertificate } from '../flows/use-certificate.ts';
import { makeGatewayApi } from '../gateway-api/app.ts';
import type { GatewaySide, GatewaySideParts } from '../ports.ts';

/** The longest keep-alive that a notice may ask for (DESIGN §6). */
const maxKeepaliveS = 1_800;
const maxConnections = 15_000;

/** @param workerFile  the broker's bundle, which the build puts beside main.js */
export function makeGatewaySide(parts: GatewaySideParts, workerFile: URL = new URL('./broker-worker.js', import.meta.url)): GatewaySide {
  const { db, clock, random, log, packages, signer, settings, tls, deviceCa } = parts;
  const certificates = makeCertificateMaker(deviceCa);
  const link = makeBroker({
    settings: {
      listen: settings.mqtt,
      tls: { key: tls.keyPem, cert: tls.certPem, clientCas: [deviceCa.certPem] },
      maxKeepaliveS,
      maxConnections,
    },
    clock,
    log,
    workerFile,
  });
  const publishNotice = makePublishNotice({ db, clock, signer, link, log, policy: settings.policy });
  const useCertificate = makeUseCertificate({ db, clock, link, log });
  const duties = makeHearGateways({
    db,
    clock,
    log,
    link,
    useCertificate,
    takeReport: makeTakeReport({ db, clock, link, log, catalogue: parts.catalogue }),
    takePresence: makeTakePresence({ db, clock, link, publishNotice }),
    takeTelemetry: makeTakeTelemetry({ db, clock }),
  });
  const desk = makeNoticeDesk({ db, clock, log, publishNotice, cutOffBlocked: makeCutOffBlocked({ db, link }) });
  const api = makeGatewayApi({
    tls,
    deviceCaPem: deviceCa.certPem,
    serverCaPems: parts.serverCas,
    certificates,
    packages,
    log,
    useCertificate,
    enrollGateway: makeEnrollGateway({ db, clock, random, certificates, log }),
    renewCertificate: makeRenewCertificate({ db, clock, random, certificates, log }),
    downloads: makeGatewayDownloads({ db }),
  });

  return {
    start: async () => {
      const mqttPort = await link.start(duties);
      try {
        await api.listen(settings.https);
      } catch (error) {
        await link.stop();
        throw error;
      }
      await desk.start();
      return { httpsPort: portOf(api.server.address()) ?? settings.https.port, mqttPort };
    },
    // The doors first: what was taken before is committed, nothing new comes in.
    stop: async () => {
      await Promise.all([api.close(), link.stop()]);
      await desk.stop();
    },
  };
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === 'object' ? address?.port : undefined;
}
