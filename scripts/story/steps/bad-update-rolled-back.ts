import { must, mustBe } from '../look.ts';
import { tellProgram } from '../programs.ts';
import type { Step } from '../story.ts';
import { gatewayLog, readAppData, shownInHome, targetReaches, versionThatAnswers } from '../targets.ts';
import { publishVariant } from '../variants.ts';
import { gatewayOf, operator, type World } from '../world.ts';
import { householdMarker } from './update-committed.ts';

export const badUpdateRolledBack: Step<World> = {
  id: 'bad-update-rolled-back',
  tells: '起動しない 1.2.0 は 1.1.0 に戻す / an update that never gets ready is undone, its data too',
  async run(world) {
    const gateway = gatewayOf(world);
    const health = { kind: 'ready', timeoutS: 1 };
    const main = "require('node:fs').writeFileSync('/data/household.txt', 'spoiled');\nsetInterval(() => {}, 1000);\n";
    await publishVariant(world, { of: 'demo.ipv4', version: '1.2.0', main, manifest: { health, data: { format: 2 } } });
    await operator(world, 'release', 'deploy', 'demo.ipv4', '1.2.0', '--target', world.target ?? '');
    await targetReaches(
      world,
      world.target ?? '',
      'the server has the report that it was rolled back',
      25_000,
      (row) => row.state === 'ROLLED_BACK',
    );

    mustBe('version that answers', await versionThatAnswers(world, 'demo.ipv4'), '1.1.0');
    mustBe("the app's data", readAppData(world, 'household.txt'), householdMarker);
    const shown = await shownInHome(gateway.pageUrl, 'demo.ipv4');
    mustBe('state in the home', [shown?.state, shown?.version], ['running-previous', '1.1.0']);
    const why = await tellProgram('agent', ['why', 'demo.ipv4', '--data', gateway.dataDir]);
    const tries = (await gatewayLog(gateway.dataDir)).filter((entry) => entry.event === 'delivery.started' && entry.version === '1.2.0');
    must('it was tried once', tries.length === 1, { tries });
    return { state: shown?.state, reason: shown?.reason, why };
  },
};
