import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { mustBe } from '../look.ts';
import type { Step } from '../story.ts';
import { gatewayLog, shownInHome, targetReaches, versionThatAnswers } from '../targets.ts';
import { publishVariant } from '../variants.ts';
import { gatewayOf, operator, type World } from '../world.ts';

export const tamperedRefused: Step<World> = {
  id: 'tampered-refused',
  tells: 'サーバー上で1バイト改ざん → E203 / one byte changed in the server’s store',
  async run(world) {
    const gateway = gatewayOf(world);
    const release = await publishVariant(world, { of: 'demo.ipv4', version: '1.3.0' });
    flipByte(path.join(world.serverData, 'packages', release.sha256), 2000);
    await operator(world, 'release', 'deploy', 'demo.ipv4', '1.3.0', '--target', world.target ?? '');
    await targetReaches(
      world,
      world.target ?? '',
      'the server has the report E203',
      20_000,
      (row) => row.state === 'ROLLED_BACK' && row.codes.some((code) => /E203|PKG_DIGEST_MISMATCH/.test(code)),
    );

    mustBe('version that answers', await versionThatAnswers(world, 'demo.ipv4'), '1.1.0');
    const shown = await shownInHome(gateway.pageUrl, 'demo.ipv4');
    mustBe('reason in the home', shown?.reason?.number, 'E203');
    const logged = (await gatewayLog(gateway.dataDir)).filter((entry) => entry.number === 'E203');
    return { reason: shown?.reason, logged: logged.map((entry) => entry.event) };
  },
};

function flipByte(file: string, at: number): void {
  const descriptor = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, at);
  writeSync(descriptor, Buffer.from([(byte[0] ?? 0) ^ 0x01]), 0, 1, at);
  closeSync(descriptor);
}
