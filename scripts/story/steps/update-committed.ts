import { must, mustBe } from '../look.ts';
import type { Step } from '../story.ts';
import { currentPackage, filesWith, targetReaches, versionThatAnswers } from '../targets.ts';
import { publishVariant } from '../variants.ts';
import { gatewayOf, operator, type World } from '../world.ts';

/** Stands for a household's settings: looked for on the disk after a rollback, and after the removal. */
export const householdMarker = `household-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;

export const updateCommitted: Step<World> = {
  id: 'update-committed',
  tells: '1.0.0 → 1.1.0 の更新 / an update is tried and kept',
  async run(world) {
    const gateway = gatewayOf(world);
    const agentPid = gateway.agentPid;
    // Turned round in the package, so that only what the app wrote has it the right way.
    const turned = JSON.stringify([...householdMarker].reverse().join(''));
    const prelude = `require('node:fs').writeFileSync('/data/household.txt', [...${turned}].reverse().join(''));\n`;
    const update = await publishVariant(world, { of: 'demo.ipv4', version: '1.1.0', prelude });
    await operator(world, 'release', 'deploy', 'demo.ipv4', '1.1.0', '--target', world.target ?? '');
    await targetReaches(
      world,
      world.target ?? '',
      'the server has the report of 1.1.0',
      20_000,
      (row) => row.state === 'ACTIVE' && row.committedVersion === '1.1.0',
    );

    mustBe('version that answers', await versionThatAnswers(world, 'demo.ipv4'), '1.1.0');
    mustBe('package that `current` points to', currentPackage(gateway.dataDir, 'demo', 'demo.ipv4'), update.sha256);
    mustBe('pid of the agent', gateway.agentPid, agentPid);
    const files = await filesWith(gateway.dataDir, householdMarker);
    must("the app's data are on the gateway's disk", files.length === 1, { files });
    return { version: '1.1.0', data: files };
  },
};
