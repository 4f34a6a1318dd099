import path from 'node:path';
import { mustBe, sha256OfFile } from '../look.ts';
import type { Step } from '../story.ts';
import { operator, type World } from '../world.ts';

export const releaseAdmitted: Step<World> = {
  id: 'release-admitted',
  tells: '登録（検証・測定・メニューとプラン） / verified, measured, classed, kept',
  async run(world) {
    const admitted = await operator(world, 'release', 'admit', world.packageFile);
    const listed = (await operator(world, 'release', 'list', 'demo.ipv4')) as {
      releases: { version: string; menu: number; plan: number; packages: { sha256: string }[] }[];
    };
    const [release] = listed.releases;
    mustBe('release by the API', [release?.version, release?.menu, release?.plan], ['1.0.0', 1, 1]);
    mustBe(
      'digest of the file that the server keeps',
      sha256OfFile(path.join(world.serverData, 'packages', world.packageSha256 ?? '')),
      world.packageSha256,
    );
    return { menu: release?.menu, plan: release?.plan, admission: admitted.admission };
  },
};
