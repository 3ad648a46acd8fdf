import { eventually } from '../test/eventually.js';
import type { Received } from '../test/fake-service.js';
import { Guards } from '../test/guards.js';
import type { Guard } from './index.js';

const guards = Guards.forEachTest();

interface Body {
  guard: string;
  seq: number;
  counts: Record<string, unknown>[];
}

function bodies(): Body[] {
  return guards.service.to('reports').map(({ body }: Received) => body as never);
}

/** A guard that has decided so many times on a key by itself. */
async function decided(times: number, edit = {}): Promise<{ guard: Guard; keyId: string }> {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add(edit);
  await guard.check(pair, { ip: '192.0.2.1' });
  for (let i = 0; i < times; i++) expect(guard.check(pair, { ip: '192.0.2.1' })).toMatchObject({ source: 'local' });
  return { guard, keyId: pair.keyId };
}

it('reports each second what it decided by itself', async () => {
  const { guard, keyId } = await decided(3);
  await eventually(() => expect(guard.stats().reported).toBe(3));
  const [report] = bodies();
  expect(report?.guard).toMatch(/^[\w-]{22}$/);
  expect(report?.counts).toEqual([
    { key_id: keyId, which: 'current', code: 'VALID', n: 3, last_ms_ago: expect.any(Number) as number },
  ]);
  expect(report?.counts[0]?.['last_ms_ago']).toBeLessThan(20_000);
});

it('reports the address of who used a previous secret', async () => {
  const { guard, keyId } = await decided(1, { which: 'previous', overlapEndsInMs: 60_000 });
  await guard.close();
  expect(bodies()[0]?.counts[0]).toMatchObject({ key_id: keyId, which: 'previous', ip: '192.0.2.1' });
});

it('reports the last decisions when it is closed', async () => {
  const { guard } = await decided(5);
  await guard.close();
  expect(guard.stats()).toMatchObject({ reported: 5, unreported: 0 });
});

it.each(['reset', { status: 503, headers: { 'Retry-After': '1' } }, { status: 401 }] as const)(
  'sends the same report again after %j',
  async (override) => {
    guards.service.overrides.set('reports', override);
    const { guard } = await decided(2);
    await eventually(() => expect(bodies().length).toBeGreaterThan(0));
    guards.service.overrides.delete('reports');
    await eventually(() => expect(guard.stats().reported).toBe(2));
    expect(new Set(bodies().map((body) => JSON.stringify(body))).size).toBe(1);
  },
);

it.each([400, 413, 404])('does not send a report again after a %i', async (status) => {
  const body = '{"status":"error","error":{"code":"c","message":"m"}}';
  guards.service.overrides.set('reports', { status, body });
  const { guard } = await decided(2);
  await eventually(() => expect(guard.stats().unreported).toBe(2));
  guards.service.overrides.delete('reports');
  await guard.close();
  expect(bodies()).toHaveLength(1);
});

it('gives up what it can not report within a second of closing', async () => {
  guards.service.overrides.set('reports', 'hang');
  const { guard } = await decided(2);
  const began = performance.now();
  await guard.close();
  expect(performance.now() - began).toBeGreaterThan(900);
  expect(guard.stats()).toMatchObject({ reported: 0, unreported: 2 });
});
