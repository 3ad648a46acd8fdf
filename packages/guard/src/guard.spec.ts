import { createGuard, type Guard, type GuardOptions, GuardUnavailableError } from './index.js';
import { FakeService, TOKEN } from '../test/fake-service.js';
import { eventually } from '../test/eventually.js';

let service: FakeService;
const guards: Guard[] = [];

beforeEach(async () => {
  service = await FakeService.start();
});

afterEach(async () => {
  await Promise.all(guards.splice(0).map((guard) => guard.close()));
  await service.stop();
});

function guardOf(options: Partial<GuardOptions> = {}): Guard {
  const guard = createGuard({ url: service.url, token: TOKEN, ...options });
  guards.push(guard);
  return guard;
}

async function freshGuard(options: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = guardOf(options);
  await guard.ready();
  expect(guard.state).toBe('fresh');
  return guard;
}

it('asks the service about an unknown pair, and decides on it from then on', async () => {
  const guard = await freshGuard();
  const { apiKey, secretKey, keyId } = service.keys.add();
  const described = { valid: true, code: 'VALID', keyId, ownerId: 'owner', name: 'a key', scopes: ['data.pin_list'] };
  const asked = guard.check({ apiKey, secretKey }, { scope: 'data.pin_list' });
  expect(asked).toBeInstanceOf(Promise);
  expect(await asked).toEqual({ ...described, source: 'remote' });
  expect(guard.check({ apiKey, secretKey }, { scope: 'data.pin_list' })).toEqual({ ...described, source: 'local' });
});

it('asks again after a change of the key', async () => {
  const guard = await freshGuard();
  const pair = service.keys.add();
  await guard.check(pair);
  service.change(pair.apiKey, { isRevoked: true });
  await eventually(async () => expect((await guard.check(pair)).code).toBe('REVOKED'));
});

it('throws after it was closed', async () => {
  const guard = await freshGuard();
  await guard.close();
  expect(guard.state).toBe('closed');
  expect(() => guard.check(service.keys.add())).toThrow(GuardUnavailableError);
});
