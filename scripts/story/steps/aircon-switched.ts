import path from 'node:path';
import { get, mustBe } from '../look.ts';
import { factsOf, isBelow, processesWhere } from '../processes.ts';
import { repository } from '../programs.ts';
import { type Step, seen } from '../story.ts';
import { order, targetReaches } from '../targets.ts';
import { publishVariant } from '../variants.ts';
import { customers, gatewayOf, type World } from '../world.ts';

const address = '192.168.1.20';

export const airconSwitched: Step<World> = {
  id: 'aircon-switched',
  tells: '宅内のエアコンを操作（ECHONET Lite） / software with a LAN grant switches a device of the home',
  async run(world) {
    const gateway = gatewayOf(world);
    const control = path.join(world.folder, 'aircon.sock');
    const program = path.join(repository, 'fixtures/devices/aircon.js');
    await gateway.addHomeDevice({
      name: 'aircon',
      address,
      command: [process.execPath, program, '--address', address, '--control', control],
    });
    await publishVariant(world, { of: 'demo.aircon', version: '1.0.0' });
    const target = await order(world, 'demo.aircon', customers.eligible.id, 'D-0002');
    await targetReaches(world, target, 'the aircon software runs', 25_000, (row) => row.state === 'ACTIVE');

    const origin = await originOf(gateway.pageUrl, '/demo.aircon/main');
    const device = await seen('the software has found the device', 10_000, async () => {
      const { devices } = JSON.parse((await get(`${origin}/demo.aircon/devices`)).body.toString());
      return devices[0];
    });
    const before = await stateOfDevice(control);
    const headers = { 'content-type': 'application/json', origin };
    const asked = await get(`${origin}/demo.aircon/devices/${device.id}/power`, { method: 'POST', headers, body: '{"on":true}' });
    mustBe('POST …/power', asked.status, 200);
    mustBe('what the device itself says before and after', [before.on, (await stateOfDevice(control)).on], [false, true]);
    const [app] = processesWhere(
      (pid, command) =>
        /^\S*node (\S+ )*\/app\/main\.js/.test(command) &&
        isBelow(pid, gateway.agentPid ?? -1) &&
        factsOf(pid).networkInterfaces.length > 1,
    );
    return { device, page: `${origin}/demo.aircon/main`, appInterfaces: app === undefined ? [] : factsOf(app).networkInterfaces };
  },
};

async function originOf(pageUrl: string, page: string): Promise<string> {
  return new URL(String((await get(`${pageUrl}${page}`)).headers.location)).origin;
}

async function stateOfDevice(control: string): Promise<{ on: boolean }> {
  return JSON.parse((await get('http://device/state', { socketPath: control })).body.toString());
}
