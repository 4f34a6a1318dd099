/** The gateways' side, joined: broker, HTTPS, notices, reports. Everything else of the server meets it at the database only. */
import type { AddressInfo } from 'node:net';
import { makeCertificateMaker } from '../adapters/est-crypto.ts';
import { listenAtSocket } from '../adapters/unix-socket.ts';
import { makeCutOffBlocked } from '../flows/cut-off-blocked.ts';
import { makeEnrollGateway } from '../flows/enroll-gateway.ts';
import { makeGatewayDownloads } from '../flows/gateway-downloads.ts';
import { makePublishNotice } from '../flows/publish-notice.ts';
import { makeNoticeDesk } from '../flows/refresh-notices.ts';
import { makeRenewCertificate } from '../flows/renew-certificate.ts';
import { makeTakePresence } from '../flows/take-presence.ts';
import { makeTakeReport } from '../flows/take-report.ts';
import { makeTakeTelemetry } from '../flows/take-telemetry.ts';
import { makeUseCertificate } from '../flows/use-certificate.ts';
import { makeGatewayApi } from '../gateway-api/app.ts';
import type { GatewaySide, GatewaySideParts } from '../ports.ts';
import { makeBrokerDoor } from './broker-door.ts';

/** @param workerFile  the broker's bundle, which the build puts beside main.js */
export function makeGatewaySide(parts: GatewaySideParts, workerFile: URL = new URL('./broker-worker.js', import.meta.url)): GatewaySide {
  const { db, clock, random, log, packages, signer, settings, tls, deviceCa } = parts;
  const certificates = makeCertificateMaker(deviceCa);
  const door = makeBrokerDoor(parts, workerFile);
  const { link } = door;
  const publishNotice = makePublishNotice({ db, clock, signer, link, log, policy: settings.policy });
  const useCertificate = makeUseCertificate({ db, clock, link, log });
  const flows = {
    useCertificate,
    takeReport: makeTakeReport({ db, clock, link, log, catalogue: parts.catalogue }),
    takePresence: makeTakePresence({ db, clock, link, publishNotice }),
    takeTelemetry: makeTakeTelemetry({ db, clock, log }),
  };
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
    isBehindFront: settings.frontSocket !== undefined,
  });
  const listen = async () => {
    if (settings.frontSocket !== undefined) await listenAtSocket(settings.frontSocket, (path) => api.listen({ path }));
    else await api.listen(settings.https);
  };

  return {
    start: async () => {
      const mqttPort = await door.open(flows, desk);
      try {
        await listen();
      } catch (error) {
        await door.close();
        throw error;
      }
      return { httpsPort: portOf(api.server.address()) ?? settings.https.port, mqttPort };
    },
    stop: async () => void (await Promise.all([api.close(), door.close()])),
  };
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return typeof address === 'object' ? address?.port : undefined;
}
