import { get, must, mustBe } from '../look.ts';
import { type Step, seen } from '../story.ts';
import { gatewayOf, type World } from '../world.ts';

export const pageShowsSoftware: Step<World> = {
  id: 'page-shows-software',
  tells: '配信済事業者ソフトウェア一覧 / the page in the home shows it',
  async run(world) {
    const { pageUrl } = gatewayOf(world);
    const page = await get(`${pageUrl}/t/`);
    const html = page.body.toString();
    mustBe('GET /t/', page.status, 200);
    for (const text of ['配信済事業者ソフトウェア一覧', 'IPv4 接続設定（デモ）', 'デモ事業者', 'NTT東日本が提供するものではありません'])
      must(`the page says 「${text}」`, html.includes(text));
    mustBe('HEAD /t/, as routers ask', (await get(`${pageUrl}/t/`, { method: 'HEAD' })).status, 200);
    const software = await seen('status.json says running', 5000, async () => {
      const status = JSON.parse((await get(`${pageUrl}/status.json`)).body.toString());
      const [first] = status.software;
      return first?.state === 'running' ? first : undefined;
    });
    mustBe('software and version', [software.software, software.version], ['demo.ipv4', '1.0.0']);
    return { page: `${pageUrl}/t/`, software };
  },
};
