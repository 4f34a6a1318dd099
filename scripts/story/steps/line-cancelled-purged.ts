import { get, must, mustBe } from '../look.ts';
import { isBelow, processesWhere } from '../processes.ts';
import { type Step, seen } from '../story.ts';
import { filesWith, targetReaches } from '../targets.ts';
import { gatewayOf, operator, type World } from '../world.ts';
import { householdMarker } from './update-committed.ts';

export const lineCancelledPurged: Step<World> = {
  id: 'line-cancelled-purged',
  tells: '回線の解約 → 停止・アンインストール・消去 / the line is cancelled: stopped, removed, erased',
  async run(world) {
    const gateway = gatewayOf(world);
    must('the marker is on the disk before', (await filesWith(gateway.dataDir, householdMarker)).length > 0);
    await operator(world, 'contract', 'cancel-line', '--gateway', gateway.gateway);
    // A 解約 acts at the end of its day: here the operator ends the day.
    await operator(world, 'contract', 'evaluate', '--through', 'today');
    await targetReaches(
      world,
      world.target ?? '',
      'the server has the purge report',
      20_000,
      (row) => row.state === 'TERMINATED' && row.purgedAt !== null,
    );

    const page = await seen('the page is empty', 5000, async () => {
      const html = (await get(`${gateway.pageUrl}/t/`)).body.toString();
      return html.includes('配信済みのソフトウェアはありません。') ? html.length : undefined;
    });
    mustBe('files with the marker', await filesWith(gateway.dataDir, householdMarker), []);
    const apps = processesWhere((pid, command) => /\/app\/main\.js/.test(command) && isBelow(pid, gateway.agentPid ?? -1));
    mustBe('processes of apps', apps, []);
    return { pageBytes: page };
  },
};
