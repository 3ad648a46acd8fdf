import { eventually } from '../test/eventually.js';
import { Guards } from '../test/guards.js';
import { GuardUnavailableError } from './index.js';

const guards = Guards.forEachTest();

it('asks the service about an unknown pair, and decides on it by itself from then on', async () => {
  const guard = await guards.createFresh();
  const { apiKey, secretKey, keyId } = guards.service.keys.add();
  const described = { valid: true, code: 'VALID', keyId, ownerId: 'owner', name: 'a key', scopes: ['data.pin_list'] };
  const asked = guard.check({ apiKey, secretKey }, { scope: 'data.pin_list' });
  expect(asked).toBeInstanceOf(Promise);
  expect(await asked).toEqual({ ...described, source: 'remote' });
  expect(guard.check({ apiKey, secretKey }, { scope: 'data.pin_list' })).toEqual({ ...described, source: 'local' });
  expect(guards.service.to('verify')).toHaveLength(1);
});

it('sends what is required to the service', async () => {
  const guard = await guards.createFresh();
  const { apiKey, secretKey } = guards.service.keys.add();
  await guard.check({ apiKey, secretKey }, { scope: ['data.pin_list'], ip: '[2001:DB8::1]:80', cost: 0 });
  expect(guards.service.to('verify')[0]?.body).toEqual({
    api_key: apiKey,
    secret_key: secretKey,
    scope: ['data.pin_list'],
    ip: '2001:db8::1',
    cost: 0,
    grant: true,
  });
});

it('decides in the order of the contract: the network before the scopes', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add({ allowedCidrs: ['10.0.0.0/8'] });
  await guard.check(pair, { ip: '10.0.0.1' });
  const code = async (scope: string, ip?: string) => (await guard.check(pair, { scope, ...(ip && { ip }) })).code;
  expect(await code('data.pin_list', '10.2.3.4')).toBe('VALID');
  expect(await code('pinning.unpin', '10.2.3.4')).toBe('INSUFFICIENT_SCOPE');
  expect(await code('pinning.unpin', '192.0.2.1')).toBe('IP_NOT_ALLOWED');
  expect(await code('data.pin_list')).toBe('IP_NOT_ALLOWED');
  expect(guard.stats().decided).toMatchObject({ local: 4, remote: 1 });
});

it('learns a key from a refusal for want of a scope', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  const refused = { valid: false, code: 'INSUFFICIENT_SCOPE', keyId: pair.keyId };
  expect(await guard.check(pair, { scope: 'pinning.unpin' })).toMatchObject({ ...refused, source: 'remote' });
  expect(guard.check(pair, { scope: 'pinning.unpin' })).toMatchObject({ ...refused, source: 'local' });
  expect(guard.check(pair)).toMatchObject({ valid: true, source: 'local' });
});

it('asks the service about a scope that it does not know an admin key to have', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add({ scopes: ['admin', 'data.pin_list'] });
  await guard.check(pair);
  expect(guard.check(pair, { scope: 'admin' })).toMatchObject({ valid: true, source: 'local' });
  expect(await guard.check(pair, { scope: 'pinning.new' })).toMatchObject({ source: 'remote' });
});

it('asks again after a change of the key, and gives the new verdict', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  await guard.check(pair);
  guards.service.change(pair.apiKey, { isRevoked: true });
  await eventually(async () => expect((await guard.check(pair)).code).toBe('REVOKED'));
});

it('asks again after a change of another key that ends the grant', async () => {
  const guard = await guards.createFresh();
  const issuer = guards.service.keys.add();
  const pair = guards.service.keys.add({ forgetOn: [guards.service.feed.hashOf(issuer.apiKey)] });
  await guard.check(pair);
  expect(guard.stats().keys).toBe(1);
  guards.service.change(issuer.apiKey);
  await eventually(() => expect(guard.stats().keys).toBe(0));
});

it('tells of the limits and the expiry of a key', async () => {
  const guard = await guards.createFresh();
  const limited = await guard.check(guards.service.keys.add({ because: 'max_uses' }));
  expect(limited).toMatchObject({ remainingUses: 4, rateLimit: { limit: 10, remaining: 9, resetSeconds: 60 } });
  expect(limited).toMatchObject({ scopes: ['data.pin_list'] });
  const expiring = guards.service.keys.add({ expiresInMs: 60_000 });
  const remote = await guard.check(expiring);
  expect(Date.parse(remote.expiresAt ?? '')).toBeGreaterThan(Date.now());
  expect(guard.check(expiring)).toEqual({ ...remote, source: 'local' });
});

it('refuses what can be no pair by itself', async () => {
  const guard = await guards.createFresh();
  const { apiKey, secretKey } = guards.service.keys.add();
  const invalid = { valid: false, code: 'INVALID_CREDENTIALS', source: 'local' };
  for (const presented of [
    { apiKey: 'w3k_', secretKey },
    { apiKey: `${apiKey.slice(0, -1)}-`, secretKey },
    { credential: apiKey },
    { headers: {} },
  ])
    expect(guard.check(presented)).toEqual(invalid);
  expect(guards.service.to('verify')).toHaveLength(0);
});

it('remembers a refused pair', async () => {
  const guard = await guards.createFresh();
  const pair = { ...guards.service.keys.add(), secretKey: `w3s_${'x'.repeat(40)}` };
  expect(await guard.check(pair)).toEqual({ valid: false, code: 'INVALID_CREDENTIALS', source: 'remote' });
  expect(guard.check(pair)).toEqual({ valid: false, code: 'INVALID_CREDENTIALS', source: 'local' });
  expect(guard.stats().refusals).toBe(1);
});

it('throws a TypeError for requirements that are none, by itself or by the service', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  expect(() => guard.check(pair, { ip: 'nowhere' })).toThrow(TypeError);
  const error = { code: 'validation_failed', message: 'm', details: [{ path: 'scope', message: 'must be a scope' }] };
  guards.service.overrides.set('verify', { status: 400, body: JSON.stringify({ status: 'error', error }) });
  const asked = Promise.resolve(guard.check(pair, { scope: 'pinning.unpinn' }));
  await expect(asked).rejects.toThrow(new TypeError('scope must be a scope'));
});

it('remembers no more keys than it may', async () => {
  const guard = await guards.createFresh({ cacheKeys: 2 });
  for (let i = 0; i < 3; i++) await guard.check(guards.service.keys.add());
  expect(guard.stats().keys).toBe(2);
});

it('throws after it was closed, and asks nothing more', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  await guard.check(pair);
  await Promise.all([guard.close(), guard.close()]);
  expect(guard.state).toBe('closed');
  expect(() => guard.check(pair)).toThrow(GuardUnavailableError);
  expect(guard.stats().keys).toBe(0);
});

it('speaks over a Unix socket', async () => {
  const { service } = guards;
  await service.stop();
  const path = `/tmp/guard-${process.pid}.sock`;
  await service.listen(path);
  const guard = await guards.createFresh({ url: `unix:${path}` });
  expect(await guard.check(service.keys.add())).toMatchObject({ valid: true });
});

it('gives its numbers as OpenMetrics', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  await guard.check(pair);
  await guard.check(pair);
  const text = guard.metrics();
  expect(text).toContain('w3ipfs_guard_state{state="fresh"} 1\n');
  expect(text).toContain('w3ipfs_guard_decisions_total{source="local"} 1\n');
  expect(text).toContain('w3ipfs_guard_checks_total{code="VALID"} 2\n');
  expect(text).toMatch(/\n# EOF\n$/);
});
