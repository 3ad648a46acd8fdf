import { systemClock } from '../clock.js';
import { Grant } from '../knowledge/grant.js';
import { readOptions } from '../input/options.js';
import { ServiceClient } from '../service/service-client.js';
import { FakeService, TOKEN } from '../../test/fake-service.js';
import { termsOf } from '../../test/terms.js';
import { Reporter } from './reporter.js';

const ID = 'g'.repeat(22);
let service: FakeService;
let client: ServiceClient;
let reporter: Reporter;

beforeEach(async () => {
  service = await FakeService.start();
  client = new ServiceClient(readOptions({ url: service.url, token: TOKEN }), ID);
  reporter = new Reporter(ID, client, systemClock, () => undefined);
});

afterEach(async () => {
  client.close();
  await service.stop();
});

/** Counts one decision on each of so many keys. */
function count(keys: number): void {
  const now = systemClock.now();
  for (let i = 0; i < keys; i++)
    reporter.count(new Grant(`d${i}`, 'h', termsOf({ keyId: `id${i}` }), now), 'VALID', now, undefined);
}

it('reports a thousand counts at once', async () => {
  count(2_500);
  await reporter.close(20_000);
  const bodies = service.to('reports').map(({ body }) => body as { seq: number; counts: { key_id: string }[] });
  expect(bodies.map(({ counts }) => counts.length)).toEqual([1_000, 1_000, 500]);
  expect(bodies.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(new Set(bodies.flatMap(({ counts }) => counts.map((one) => one.key_id))).size).toBe(2_500);
  expect(reporter).toMatchObject({ reported: 2_500, unreported: 0 });
});

it('holds the counts of 10,000 keys', async () => {
  count(10_003);
  expect(reporter.unreported).toBe(3);
  await reporter.close(20_000);
  expect(reporter.reported).toBe(10_000);
});

it('counts a key again after it was reported', async () => {
  const grant = new Grant('d', 'h', termsOf(), systemClock.now());
  for (let i = 0; i < 2; i++) {
    reporter.count(grant, 'VALID', systemClock.now(), undefined);
    await reporter.close(20_000);
  }
  expect(reporter.reported).toBe(2);
});

it('sends nothing if there is nothing to report', async () => {
  await reporter.close(20_000);
  expect(service.to('reports')).toHaveLength(0);
});
