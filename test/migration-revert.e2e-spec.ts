import { createTestDatabase, type TestDatabase } from './support/database.js';
import { run } from './support/process.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await run(['dist/cli.js', 'migrate'], database.variables);
});
afterAll(() => database.drop());

/** The script of `npm run migration:revert`. */
const revert = (...args: string[]) =>
  run(['--import', 'tsx', 'scripts/revert-migration.ts', ...args], database.variables);

it('lists what it would drop, and drops it only on confirmation', async () => {
  const asked = await revert();
  expect(asked.code).toBe(64);
  const [, last] =
    /^To revert (\w+) drops, with all that is in them:\n {2}(?:table|column|index) \w+/.exec(asked.stdout) ?? [];
  expect(last).toBeDefined();
  expect(asked.stdout).toContain('npm run migration:revert -- --yes');

  const done = await revert('--yes');
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining(`To revert ${last} drops`)]);

  const next = await revert();
  expect([next.code, next.stdout]).toEqual([64, expect.not.stringContaining(`${last}`)]);
});
