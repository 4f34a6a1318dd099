import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { aDatabase, type TestDatabase } from '../../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  await database.db.query('CREATE TABLE notes (text text PRIMARY KEY)');
});
afterAll(() => database.stop());
beforeEach(() => database.db.query('DELETE FROM notes'));

const write = (text: string) => database.db.tx((sql) => sql.query('INSERT INTO notes VALUES ($1)', [text]));
const notes = async () => (await database.db.query<{ text: string }>('SELECT text FROM notes ORDER BY text')).map(({ text }) => text);
const boom = () => {
  throw new Error('boom');
};

test('all parts are there, or none', async () => {
  await expect(
    database.db.together(async () => {
      await write('a');
      await write('b');
      boom();
    }),
  ).rejects.toThrow('boom');
  expect(await notes()).toEqual([]);
  await database.db.together(async () => {
    await write('a');
    await write('b');
  });
  expect(await notes()).toEqual(['a', 'b']);
});

test('a part that fails takes nothing else with it', async () => {
  await database.db.together(async () => {
    await write('a');
    await expect(
      database.db.tx(async (sql) => {
        await sql.query("INSERT INTO notes VALUES ('lost')");
        boom();
      }),
    ).rejects.toThrow('boom');
    await expect(write('a')).rejects.toMatchObject({ code: '23505' });
    await write('b');
  });
  expect(await notes()).toEqual(['a', 'b']);
});

test('what is read inside is what was written inside, and nobody outside sees it before the end', async () => {
  let inside: string[] = [];
  let outside: string[] = [];
  let wrote = () => {};
  const written = new Promise<void>((resolve) => {
    wrote = resolve;
  });
  let looked = () => {};
  const seen = new Promise<void>((resolve) => {
    looked = resolve;
  });
  const writing = database.db.together(async () => {
    await write('a');
    inside = await notes();
    wrote();
    await seen;
  });
  await written;
  outside = await notes();
  looked();
  await writing;
  expect([inside, outside, await notes()]).toEqual([['a'], [], ['a']]);
});

test('two at once do not meet: each call stack has its own transaction', async () => {
  await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      database.db
        .together(async () => {
          await write(`note ${index}`);
          if (index % 2 === 1) boom();
        })
        .catch(() => {}),
    ),
  );
  expect(await notes()).toEqual(['note 0', 'note 2', 'note 4']);
});

test('a deadlock is tried again as a whole', async () => {
  await write('left');
  await write('right');
  let tries = 0;
  let locked = 0;
  let bothHaveOne = () => {};
  const meeting = new Promise<void>((resolve) => {
    bothHaveOne = resolve;
  });
  const lockBoth = (first: string, second: string) =>
    database.db.together(async (sql) => {
      tries += 1;
      await sql.query('SELECT 1 FROM notes WHERE text = $1 FOR UPDATE', [first]);
      locked += 1;
      if (locked === 2) bothHaveOne();
      await meeting;
      await sql.query('SELECT 1 FROM notes WHERE text = $1 FOR UPDATE', [second]);
    });
  await Promise.all([lockBoth('left', 'right'), lockBoth('right', 'left')]);
  // Whoever gave way may meet the other once more before that one has gone on.
  expect(tries).toBeGreaterThanOrEqual(3);
});
