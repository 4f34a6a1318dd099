import { mustBe } from '../look.ts';
import { ask } from '../programs.ts';
import type { Step } from '../story.ts';
import { order, targetReaches } from '../targets.ts';
import { publishVariant } from '../variants.ts';
import { customers, enrollGateway, gatewayOf, operatorOptions, type World } from '../world.ts';

/** More than a PR-400 takes, less than an RT-500 (invented profiles). */
const installedBytes = 6_213_004;

export const oversizeRefused: Step<World> = {
  id: 'oversize-refused',
  tells: '6,213,004 バイト: PR-400KI は E304、RT-500MI は受け入れ / too large for one model, not for the other',
  async run(world) {
    const large = await publishVariant(world, { of: 'demo.ipv4', software: 'demo.large', version: '1.0.0', installedBytes });
    const refused = await ask('server', [
      'target',
      'order',
      'demo.large',
      '--customer-id',
      customers.eligible.id,
      '--consent',
      'D-0101',
      ...operatorOptions(world),
    ]);
    mustBe('order for the PR-400KI: exit code and number', [refused.status, refused.json.number], [3, 'E304']);

    await enrollGateway(world, 'gw-rt500', 'RT-500MI', customers.newerGateway);
    const target = await order(world, 'demo.large', customers.newerGateway.id, 'D-0102');
    await targetReaches(world, target, 'the RT-500MI runs it', 25_000, (row) => row.state === 'ACTIVE');
    return { installedBytes, refused: refused.json.ja, accepted: gatewayOf(world, 'gw-rt500').model, sha256: large.sha256 };
  },
};
