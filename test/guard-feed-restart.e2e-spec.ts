import { DataSource } from 'typeorm';
import { createTestDatabase, onServer } from './support/database.js';
import { type Changes, changesSince, guardHeaders, handleOf } from './support/guards.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

it('sends a guard, after a restart, what changed before it', async () => {
  const database = await createTestDatabase();
  try {
    const before = await startService(serviceVariables, database);
    const [first, second] = [
      await issueKey(before.client, 'ann', powerlessBody),
      await issueKey(before.client, 'ann', powerlessBody),
    ];
    const { epoch, position } = await positionBehindHousekeeping(before);
    await before.client.delete(`/api/apiKeys/${first.id}`, sessionOf('ann'));
    await before.stop();

    const after = await startService(serviceVariables, database);
    const { changed, epoch: present } = await changesSince(after.client, position, 0, guardHeaders());
    expect(changed.map(({ h }) => h)).toContain(handleOf(first.api_key));
    expect(changed.map(({ h }) => h)).not.toContain(handleOf(second.api_key));
    // The embedded database was started anew with the process, a server was not
    expect(present === epoch).toBe(onServer);
    const { status } = await after.client.get(`/api/apiKeys/changes?since=${position}&epoch=${epoch}`, serviceHeaders);
    expect(status).toBe(onServer ? 200 : 410);
    await after.stop();
  } finally {
    await database.drop();
  }
});

/** A position behind the row by which later ones are known to be complete: others' transactions hold it back. */
async function positionBehindHousekeeping({ app, client }: TestService): Promise<Changes> {
  let changes = await changesSince(client, undefined);
  const older = 'SELECT FROM key_changes WHERE transaction_id <= $1::bigint';
  await until(async () => {
    changes = await changesSince(client, undefined);
    return (await app.get(DataSource).query<object[]>(older, [changes.position])).length > 0;
  }, 'the position');
  return changes;
}

it('asks a guard to start again once changes since its position may have been removed', async () => {
  const database = await createTestDatabase();
  try {
    const before = await startService(serviceVariables, database);
    const { position } = await changesSince(before.client, undefined);
    const aged = `UPDATE key_changes SET changed_at = changed_at - interval '51 minutes'`;
    await before.app.get(DataSource).query(aged);
    await before.stop();

    const after = await startService(serviceVariables, database);
    const { status } = await after.client.get(`/api/apiKeys/changes?since=${position}`, serviceHeaders);
    expect(status).toBe(410);
    await after.stop();
  } finally {
    await database.drop();
  }
});
