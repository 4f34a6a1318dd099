import { get, must, mustBe } from '../look.ts';
import type { Detail, Step } from '../story.ts';
import { order, targetReaches } from '../targets.ts';
import { certifyProvider, publishVariant } from '../variants.ts';
import { customers, gatewayOf, operator, type World } from '../world.ts';

export const neighbourUndisturbed: Step<World> = {
  id: 'neighbour-undisturbed',
  tells: '隣のソフトウェアのインストール・更新・削除中も応答 / the neighbour answers every 100 ms all the while',
  async run(world) {
    const gateway = gatewayOf(world);
    const agentPid = gateway.agentPid;
    await certifyProvider(world, 'second', '第二事業者');
    const variant = { of: 'demo.ipv4', software: 'second.clock', provider: 'second' };
    await publishVariant(world, { ...variant, version: '1.0.0' });
    await publishVariant(world, { ...variant, version: '1.0.1' });

    const watch = watchNeighbour(`${gateway.pageUrl}/demo.ipv4/check`);
    const target = await installUpdateRemove(world).finally(() => watch.stop());
    const { asked, lost } = watch.counts();
    mustBe('requests of the neighbour without its answer', lost, []);
    must('it was asked all the while', asked > 20, { asked });
    mustBe('pid of the agent', gateway.agentPid, agentPid);
    return { asked, lost: lost.length, target };
  },
};

async function installUpdateRemove(world: World): Promise<string> {
  const target = await order(world, 'second.clock', customers.eligible.id, 'S-0001');
  await targetReaches(world, target, 'the second software runs', 20_000, (row) => row.state === 'ACTIVE');
  await operator(world, 'release', 'deploy', 'second.clock', '1.0.1', '--target', target);
  await targetReaches(world, target, 'it is updated', 20_000, (row) => row.state === 'ACTIVE' && row.committedVersion === '1.0.1');
  await operator(world, 'target', 'cancel', target);
  await targetReaches(world, target, 'it is purged', 15_000, (row) => row.purgedAt !== null);
  return target;
}

/** One request after the other, a tenth of a second apart; what is not answered with 200 in time is lost. */
function watchNeighbour(url: string): { stop(): Promise<void>; counts(): { asked: number; lost: Detail[] } } {
  const lost: Detail[] = [];
  let asked = 0;
  let isWatching = true;
  const watching = (async () => {
    while (isWatching) {
      asked++;
      await get(url).then(
        ({ status }) => status === 200 || lost.push({ asked, status }),
        (error) => lost.push({ asked, error: String(error) }),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop() {
      isWatching = false;
      await watching;
    },
    counts: () => ({ asked, lost }),
  };
}
