import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { modelName } from '../../../protocol/fields.ts';
import { startEmulator } from '../../../provider/emulator/index.ts';
import { get } from '../../../scripts/story/look.ts';

test('an emulated air conditioner stands on the home network, tells its state, and goes with the gateway', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-device-'));
  const emulator = await startEmulator({ ports: new Map() });
  try {
    const gateway = await emulator.addGateway({
      gateway: 'gw-0001',
      model: modelName.parse('PR-400KI'),
      dataDir: path.join(folder, 'data'),
    });
    const control = path.join(folder, 'aircon.sock');
    const program = path.resolve('fixtures/devices/aircon.js');

    const device = await gateway.addHomeDevice({
      name: 'aircon',
      address: '192.168.1.20',
      command: [process.execPath, program, '--address', '192.168.1.20', '--control', control],
    });

    expect(device.address).toBe('192.168.1.20');
    expect(JSON.parse((await get('http://device/state', { socketPath: control })).body.toString())).toMatchObject({ on: false });
  } finally {
    await emulator.stop();
    rmSync(folder, { recursive: true });
  }
});
