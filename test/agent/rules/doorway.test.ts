import { expect, test } from 'vitest';
import { planDoorway, throughDoor } from '../../../agent/rules/doorway.ts';

test('paths behind a closed folder stand below one door, each once', () => {
  const doorway = planDoorway(['/root/node', '/root/data', '/root/node'], ['/etc/x']);
  expect(doorway).toEqual({ door: '/mnt', paths: ['/root/node', '/root/data'] });
  expect(doorway && throughDoor(doorway, '/root/data')).toBe('/mnt/1');
  expect(doorway && throughDoor(doorway, '/etc/x')).toBe('/etc/x');
});

test('the door hides nothing that has to be shown', () => {
  expect(planDoorway(['/root/node'], ['/mnt/flash/data'])?.door).toBe('/media');
  expect(planDoorway(['/mnt/a'], ['/media/b', '/srv', '/opt/c'])).toBeUndefined();
});
