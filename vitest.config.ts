import { defineConfig } from 'vitest/config';

const everyTest = 'test/**/*.test.ts';
const withRealPrograms = 'test/**/*.real.test.ts';
const withRoot = 'test/**/*.root.test.ts';
const onOurPostgresOnly = ['test/server/{program,backup,database-url}.real.test.ts', 'test/server/broker/**'];
const globalSetup = ['test/support/run-folder.ts'];

/**
 * Three parts, told apart by the file name:
 * - quick: pure rules, flows with fakes, adapters on a temporary folder. `npm test`, all the time.
 * - real:  starts server processes, PostgreSQL, brokers.
 * - root:  network namespaces, bubblewrap, cgroups: things a machine has once, so one file after the other and never beside another part.
 *
 * And once more what stands on a database, on another one:
 * - debian15: the server's real tests on Debian's PostgreSQL 15, as DATABASE_URL leads to it (test/support/postgres.ts). Not those that are about the
 *   server's own PostgreSQL.
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'quick',
          globalSetup,
          include: [everyTest],
          exclude: [withRealPrograms, withRoot],
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'real',
          globalSetup,
          include: [withRealPrograms],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'root',
          globalSetup,
          include: [withRoot],
          testTimeout: 90_000,
          hookTimeout: 90_000,
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'debian15',
          globalSetup,
          env: { TSUGITE_TEST_DATABASE: 'debian15' },
          include: ['test/server/**/*.real.test.ts'],
          exclude: onOurPostgresOnly,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
