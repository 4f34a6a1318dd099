/** Where the local page listens, and by which addresses a browser reaches it. */

export type Listen = { readonly host: string; readonly port: number };

export type PageSettings = {
  /** The shared page. Loopback by default; addresses of the home network may be added, a WAN address never. */
  readonly listen: readonly Listen[];
  /** Each app's pages have an origin of their own: one port of this row, on the same addresses. */
  readonly appPorts: { readonly from: number; readonly count: number };
  /**
   * Inner port → port by which it is reached from outside. Where something forwards the page (the emulated gateway does), links and redirects
   * name these; a port that is not listed is reached by its own number.
   */
  readonly outerPorts: Readonly<Record<string, number>>;
  /** The settings page has an origin of its own, on the same addresses; without a port there is none. */
  readonly settingsPort?: number;
  /** Names in the Host header beside the listen addresses, `ntt.setup` and `localhost`. */
  readonly hostNames: readonly string[];
  /** Who runs the service, as the household knows it. */
  readonly operatorName?: string;
};

export const defaultPageSettings: PageSettings = {
  listen: [{ host: '127.0.0.1', port: 8888 }],
  appPorts: { from: 8889, count: 8 },
  outerPorts: {},
  hostNames: [],
};

/** @returns what is wrong, each with the name of its setting; empty when nothing is */
export function faultsOfPageSettings({
  listen,
  appPorts,
  outerPorts,
  hostNames,
  settingsPort,
}: PageSettings): { field: string; fault: string }[] {
  const isPort = (port: number) => Number.isInteger(port) && port >= 1 && port <= 65_535;
  const lastAppPort = appPorts.from + appPorts.count - 1;
  const faults = listen.flatMap(({ host, port }, index) => [
    ...(isHomeAddress(host) ? [] : [{ field: `page.listen[${index}].host`, fault: `${host} is not an address of the home network` }]),
    ...(isPort(port) ? [] : [{ field: `page.listen[${index}].port`, fault: 'not a port' }]),
    ...(port >= appPorts.from && port <= lastAppPort ? [{ field: `page.listen[${index}].port`, fault: 'also one of page.appPorts' }] : []),
  ]);
  if (listen.length === 0) faults.push({ field: 'page.listen', fault: 'empty' });
  if (!isPort(appPorts.from) || !isPort(lastAppPort) || appPorts.count < 1 || appPorts.count > 64)
    faults.push({ field: 'page.appPorts', fault: 'not a row of 1 to 64 ports' });
  if (
    settingsPort !== undefined &&
    ((settingsPort >= appPorts.from && settingsPort <= lastAppPort) || listen.some(({ port }) => port === settingsPort))
  )
    faults.push({ field: 'page.settingsPort', fault: 'also a port of page.listen or page.appPorts' });
  for (const [inner, outer] of Object.entries(outerPorts))
    if (!isPort(Number(inner)) || !isPort(outer)) faults.push({ field: `page.outerPorts.${inner}`, fault: 'not a port' });
  for (const name of hostNames)
    if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
      faults.push({ field: 'page.hostNames', fault: `${name} is not a lower-case host name` });
  return faults;
}

/** Loopback, private (RFC 1918), link-local and unique local (RFC 4193) addresses; no wildcard, since it would include the WAN. */
export function isHomeAddress(host: string): boolean {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number);
  if (bytes !== undefined) {
    const [a = 0, b = 0] = bytes;
    if (bytes.some((byte) => byte > 255)) return false;
    return a === 127 || a === 10 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254);
  }
  return host === '::1' || /^f[cd][0-9a-f]{2}:[0-9a-f:]+$/i.test(host) || /^fe[89ab][0-9a-f]:[0-9a-f:]+$/i.test(host);
}

/** The port by which a browser reaches one of ours. */
export function outerPortOf({ outerPorts }: PageSettings, port: number): number {
  return outerPorts[String(port)] ?? port;
}
