/** This server's name at an outside broker. The dot keeps it apart from every gateway id: no certificate of the device CA can say it. */
export const brokerUser = 'tsugite.server';
