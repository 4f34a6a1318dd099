import { expect, test } from 'vitest';
import { makeInTurn } from '../../../server/flows/in-turn.ts';

test('jobs of one key run one after the other, those of another key do not wait', async () => {
  const inTurn = makeInTurn<string>();
  const order: string[] = [];
  const gate = { open: () => {} };
  const closed = new Promise<void>((resolve) => {
    gate.open = () => resolve();
  });
  const first = inTurn('a', async () => {
    await closed;
    order.push('a1');
  });
  const second = inTurn('a', async () => void order.push('a2'));
  await inTurn('b', async () => void order.push('b1'));
  gate.open();
  await Promise.all([first, second]);
  expect(order).toEqual(['b1', 'a1', 'a2']);
});

test('a job that fails tells its caller and does not stop the next one', async () => {
  const inTurn = makeInTurn<string>();
  const failing = inTurn('a', () => Promise.reject(new Error('broken')));
  const next = inTurn('a', async () => 'done');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('done');
});

test('a job knows whether another one waits behind it', async () => {
  const inTurn = makeInTurn<string>();
  const said = await Promise.all([1, 2, 3].map(() => inTurn('a', async (isLast) => isLast())));
  expect(said).toEqual([false, false, true]);
});
