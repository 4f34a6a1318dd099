import { expect, test } from 'vitest';
import { doorwayOperands, planDoorway, throughDoor } from '../../../agent/rules/doorway.ts';

test('paths behind a closed folder, and images, stand below one door, each once', () => {
  const doorway = planDoorway({ closed: ['/root/node', '/root/data', '/root/node'], images: ['/root/data.img'] }, ['/etc/x']);
  expect(doorway).toEqual({
    door: '/mnt',
    entries: [
      { kind: 'bind', path: '/root/node' },
      { kind: 'bind', path: '/root/data' },
      { kind: 'image', path: '/root/data.img' },
    ],
  });
  expect(doorway && doorwayOperands(doorway)).toEqual([
    '/mnt',
    'bind',
    '/root/node',
    'bind',
    '/root/data',
    'image',
    '/root/data.img',
    '--',
  ]);
  expect(doorway && throughDoor(doorway, '/root/data.img')).toBe('/mnt/2');
  expect(doorway && throughDoor(doorway, '/root/data')).toBe('/mnt/1');
  expect(doorway && throughDoor(doorway, '/etc/x')).toBe('/etc/x');
});

test('the door hides nothing that has to be shown', () => {
  expect(planDoorway({ closed: ['/root/node'], images: [] }, ['/mnt/flash/data'])?.door).toBe('/media');
  expect(planDoorway({ closed: ['/mnt/a'], images: ['/media/b'] }, ['/srv', '/opt/c'])).toBeUndefined();
});
