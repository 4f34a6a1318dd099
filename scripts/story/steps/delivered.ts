import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { must, mustBe } from '../look.ts';
import { factsOf, isBelow, namespacesOf, type ProcessFacts, processesWhere } from '../processes.ts';
import type { Step } from '../story.ts';
import { order, targetReaches } from '../targets.ts';
import { customers, gatewayOf, type World } from '../world.ts';

export const delivered: Step<World> = {
  id: 'delivered',
  tells: '配信・インストール・起動 / delivered, installed, running in its sandbox',
  async run(world) {
    const gateway = gatewayOf(world);
    world.target = await order(world, 'demo.ipv4', customers.eligible.id, 'D-0001');
    await targetReaches(world, world.target, 'the server has the report that it was committed', 25_000, (row) => row.state === 'ACTIVE');
    const store = storeFacts(path.join(gateway.dataDir, 'store', world.packageSha256 ?? ''));
    const [app] = processesWhere((pid, command) => /^\S*node (\S+ )*\/app\/main\.js/.test(command) && isBelow(pid, gateway.agentPid ?? -1));
    must('the app runs, below the agent', app !== undefined);
    const facts = factsOf(app ?? 0);
    lookAtSandbox(facts);
    return {
      target: world.target,
      store,
      process: {
        pid: facts.pid,
        uid: facts.uid,
        capabilities: facts.capabilities,
        seccomp: facts.seccomp,
        cgroups: facts.cgroups.filter((line) => /memory|pids/.test(line)),
      },
    };
  },
};

function storeFacts(folder: string): object {
  must('the package stands in the store', existsSync(path.join(folder, 'main.js')) || readdirSync(folder).length > 0, { folder });
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const owner = statSync(folder).uid;
  must('its owner is neither root nor an app', owner !== 0 && owner < 20_001, { owner });
  return { files: files.length, owner };
}

function lookAtSandbox(app: ProcessFacts): void {
  must('a uid of its own', app.uid >= 20_001, { uid: app.uid });
  mustBe('effective capabilities', Number.parseInt(app.capabilities, 16), 0);
  mustBe('a seccomp filter, and no new privileges', [app.seccomp, app.noNewPrivileges], [2, true]);
  const ours = namespacesOf(process.pid);
  const shared = Object.entries(app.namespaces).filter(([kind, id]) => ours[kind] === id);
  mustBe('namespaces shared with this host', shared, []);
  must('a read-only root and package', /^ro\b/.test(app.mounts['/'] ?? '') && /^ro\b/.test(app.mounts['/app'] ?? ''), {
    mounts: app.mounts,
  });
  mustBe('network interfaces', app.networkInterfaces, ['lo']);
  must('a memory and a pids cgroup of its own', app.cgroups.filter((line) => /(memory|pids).*tsugite|0::.*tsugite/.test(line)).length > 0, {
    cgroups: app.cgroups,
  });
}
