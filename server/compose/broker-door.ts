/** The broker between server and gateways: our own in this process, or another one by its address; and who publishes what is due. */
import { makeBroker } from '../adapters/broker.ts';
import { makeOutsideBroker } from '../adapters/outside-broker/outside-broker.ts';
import { makeHearGateways } from '../flows/hear-gateways.ts';
import { makeHearOutside } from '../flows/hear-outside.ts';
import type { NoticeDesk } from '../flows/refresh-notices.ts';
import { makeUseByBirth } from '../flows/use-certificate.ts';
import type { GatewayLink, OutsideBroker } from '../ports/gateways.ts';
import type { GatewaySideParts } from '../ports.ts';

/** The longest keep-alive that a notice may ask for (DESIGN §6). */
const maxKeepaliveS = 1_800;
const maxConnections = 15_000;

type Flows = Omit<Parameters<typeof makeHearGateways>[0], 'link' | 'db' | 'clock' | 'log'>;

export type BrokerDoor = {
  readonly link: GatewayLink;
  /** @returns the port at which gateways find the broker */
  open(flows: Flows, desk: NoticeDesk): Promise<number>;
  close(): Promise<void>;
};

export function makeBrokerDoor(parts: GatewaySideParts, workerFile: URL): BrokerDoor {
  return parts.broker === undefined ? ownDoor(parts, workerFile) : outsideDoor(parts, parts.broker);
}

function ownDoor({ db, clock, log, settings, tls, deviceCa }: GatewaySideParts, workerFile: URL): BrokerDoor {
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
  let stopDesk = async () => {};
  return {
    link,
    open: async (flows, desk) => {
      const port = await link.start(makeHearGateways({ db, clock, log, link, ...flows }));
      stopDesk = desk.stop;
      await desk.start();
      return port;
    },
    // The door first: what was taken before is committed, nothing new comes in.
    close: async () => {
      await link.stop();
      await stopDesk();
    },
  };
}

function outsideDoor({ db, clock, log }: GatewaySideParts, broker: OutsideBroker): BrokerDoor {
  const link = makeOutsideBroker({ ...broker, clock, log });
  return {
    link,
    open: (flows, desk) => {
      const hearing = makeHearOutside({ db, clock, log, link, useByBirth: makeUseByBirth({ db, clock }), ...flows });
      return link.start({ ...hearing, began: desk.start, ended: desk.stop });
    },
    close: link.stop,
  };
}
