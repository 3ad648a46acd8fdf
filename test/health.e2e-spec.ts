import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { InvalidationFeed } from '../src/verification/invalidation-feed.js';
import { useService } from './support/service.js';

const service = useService();
afterEach(() => jest.restoreAllMocks());

const missing = async () => {
  const { status, body, headers } = await service.client.get('/health/ready');
  if (status === 200) return [];
  expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'unavailable', '2']);
  return body.error.details;
};

it('is live while the process runs', async () => {
  expect((await service.client.get('/health/live')).body).toEqual({ status: 'ok' });
});

it('is ready with a database of this schema', async () => {
  expect(await missing()).toEqual([]);
  const dataSource = service.app.get(DataSource);
  const last = '(SELECT max(id) FROM migrations)';
  const [removed] = await dataSource.query(`SELECT * FROM migrations WHERE id = ${last}`);
  await dataSource.query(`DELETE FROM migrations WHERE id = ${last}`);
  expect(await missing()).toEqual([{ path: 'database', message: 'lacks migrations of this version' }]);
  await dataSource.query('INSERT INTO migrations (timestamp, name) VALUES ($1, $2)', [removed.timestamp, removed.name]);
  expect(await missing()).toEqual([]);
});

it('is not ready if changes may have been missed for longer than the bound', async () => {
  jest.spyOn(service.app.get(InvalidationFeed, { strict: false }), 'age', 'get').mockReturnValue(1_001);
  expect(await missing()).toEqual([{ path: 'change_feed', message: expect.stringContaining('REVOCATION_BOUND_MS') }]);
});
