import { createServer } from 'node:net';

/** For a program that cannot take any free port and tell which; another one may be quicker, so its caller must notice a program that ends. */
export async function aFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
