import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askAgent, makeControlDoor } from '../../../agent/adapters/control-door.ts';
import { parseCommand } from '../../../agent/cli/arguments.ts';
import type { House, HouseDoor } from '../../../agent/ports/house.ts';
import { TsugiteError } from '../../../protocol/errors.ts';

let dataDir: string;
let door: HouseDoor;
let answer: House['answer'];

beforeEach(async () => {
  // Longer than a socket path may be.
  dataDir = path.join(mkdtempSync(path.join(tmpdir(), 'tsugite-control-')), 'd'.repeat(120));
  mkdirSync(dataDir);
  answer = async ({ kind }) => ({ kind, isOnline: false, updates: [] });
  door = makeControlDoor(dataDir);
  await door.start({
    view: () => ({ gateway: 'gw', model: 'PR-500KI', pending: [], requests: [], confirmations: [] }),
    answer: (ask, by) => answer(ask, by),
  });
});
afterEach(async () => {
  await door.stop();
  rmSync(path.dirname(dataDir), { recursive: true });
});

describe('the control socket', () => {
  test('brings an ask to the agent and its answer back', async () => {
    expect(await askAgent(dataDir, { kind: 'resync' })).toEqual({ kind: 'resync', isOnline: false, updates: [] });
  });

  test('brings a refusal back as it was', async () => {
    answer = async () => {
      throw new TsugiteError('POSTPONE_LIMIT', { limit: 'x' });
    };
    await expect(askAgent(dataDir, { kind: 'postpone', software: null })).rejects.toMatchObject({
      code: 'POSTPONE_LIMIT',
      detail: { limit: 'x' },
    });
  });

  test('is for its owner alone: the folder is closed, the socket too', () => {
    expect(statSync(path.join(dataDir, 'control')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'control', 'agent.sock')).mode & 0o777).toBe(0o600);
  });

  test('E909: without an agent the asker is told so, also when a dead one left its socket', async () => {
    await door.stop();
    await expect(askAgent(dataDir, { kind: 'resync' })).rejects.toMatchObject({ code: 'AGENT_NOT_RUNNING' });
    rmSync(path.join(dataDir, 'control'), { recursive: true });
    await expect(askAgent(dataDir, { kind: 'resync' })).rejects.toMatchObject({ code: 'AGENT_NOT_RUNNING' });
  });

  test.each([
    'not json\n',
    '{"kind":"reboot"}\n',
    '{"kind":"confirm","item":"office-equipment","value":"maybe"}\n',
    `${'x'.repeat(5_000)}`,
  ])('what is not understood changes nothing: %.40s', async (line) => {
    let asked = 0;
    answer = async ({ kind }) => {
      asked += 1;
      return { kind, isOnline: true, updates: [] };
    };
    const reply = await new Promise<string>((resolve) => {
      let text = '';
      // By way of the folder that this process stands in: the whole path would be too long.
      const before = process.cwd();
      process.chdir(path.join(dataDir, 'control'));
      const socket = connect('agent.sock', () => socket.write(line));
      process.chdir(before);
      socket.on('data', (piece) => {
        text += piece;
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    expect(reply === '' || JSON.parse(reply).ok === false).toBe(true);
    expect(asked).toBe(0);
  });
});

describe('the verbs', () => {
  test.each([
    [['resync'], { kind: 'resync' }],
    [['confirm', 'office-equipment=no'], { kind: 'confirm', item: 'office-equipment', value: 'no' }],
    [['install', '--now'], { kind: 'install-now', software: null }],
    [['install', '--now', 'demo.ipv4'], { kind: 'install-now', software: 'demo.ipv4' }],
    [['postpone', 'demo.ipv4'], { kind: 'postpone', software: 'demo.ipv4' }],
  ])('%j', (argv, ask) => {
    expect(parseCommand(argv as string[])).toMatchObject({ verb: 'ask', ask });
  });

  test.each([
    ['install'],
    ['confirm'],
    ['confirm', 'office-equipment=maybe'],
    ['confirm', 'weather=fine'],
    ['postpone', 'a', 'b'],
    ['status', '--now'],
  ])('%s %s is a wrong use', (...argv) => {
    expect(() => parseCommand(argv.filter((word) => word !== undefined))).toThrow(expect.objectContaining({ code: 'USAGE_WRONG' }));
  });
});
