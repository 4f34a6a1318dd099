import { get, must, mustBe } from '../look.ts';
import type { Step } from '../story.ts';
import { gatewayOf, type World } from '../world.ts';

export const appAnswers: Step<World> = {
  id: 'app-answers',
  tells: '/demo.ipv4/check に応答 / the app answers a device in the home',
  async run(world) {
    const { pageUrl } = gatewayOf(world);
    const answer = await get(`${pageUrl}/demo.ipv4/check`);
    mustBe('GET /demo.ipv4/check', JSON.parse(answer.body.toString()), { name: 'demo.ipv4', version: '1.0.0', status: 'ON' });
    const jsonp = (await get(`${pageUrl}/demo.ipv4/check?callback=hgw`)).body.toString();
    must('JSONP, as real gateways answer', /^hgw\(\{.*\}\);?\s*$/.test(jsonp), { jsonp });
    const main = await get(`${pageUrl}/demo.ipv4/main`);
    must("its page is only seen under the app's own origin", main.status >= 300 && main.status < 400, { status: main.status });
    const origin = new URL(String(main.headers.location));
    must('another port than the list', origin.host !== new URL(pageUrl).host, { location: origin.href });
    const page = await get(origin.href);
    mustBe('the page there', [page.status, String(page.headers['content-type']).split(';')[0]], [200, 'text/html']);
    return { check: answer.body.toString(), jsonp, appPage: origin.href };
  },
};
