import { GuardUnavailableError } from '../src/index.js';
import { createFakeGuard, type FakeGuard, PAIR, VALID } from './fake-guard.js';
import { call } from './served.js';

/**
 * The tests that every adapter passes.
 *
 * @param start runs a service until the test ends: it needs `pinning.unpin` and answers 200 with the owner. Returns its URL
 */
export function describeAdapter(start: (guard: FakeGuard) => Promise<string>): void {
  async function ask(answer: FakeGuard['answer'], headers?: Record<string, string>) {
    const guard: FakeGuard = { ...createFakeGuard(), answer };
    return { guard, ...(await call(await start(guard), headers)) };
  }

  it.each([
    ['at once', () => VALID],
    ['by a promise', () => Promise.resolve(VALID)],
  ])('lets a request pass with the verdict, if that is given %s', async (_, answer) => {
    const { guard, status, body, headers } = await ask(answer());
    expect([status, body]).toEqual([200, { owner: 'owner' }]);
    expect(headers.get('ratelimit')).toBeNull();
    expect(guard.asked).toEqual([
      {
        presented: PAIR,
        required: { scope: expect.anything(), ip: expect.stringMatching(/^(::ffff:)?127\.0\.0\.1$/) },
      },
    ]);
    expect([guard.asked[0]?.required?.scope].flat()).toEqual(['pinning.unpin']);
  });

  it.each([
    ['at once', () => ({ ...VALID, valid: false, code: 'INSUFFICIENT_SCOPE' }) as const],
    ['by a promise', () => Promise.resolve({ ...VALID, valid: false, code: 'INSUFFICIENT_SCOPE' } as const)],
  ])('answers a refusal as the service does, if that is given %s', async (_, answer) => {
    const { status, body, headers } = await ask(answer());
    const message = 'This API key lacks the scope pinning.unpin.';
    expect([status, headers.get('content-type')]).toEqual([403, 'application/json; charset=utf-8']);
    expect(body).toEqual({
      status: 'error',
      error: { code: 'insufficient_scope', message },
      request_id: headers.get('x-request-id'),
    });
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
  });

  it('answers 401 to a request without credentials', async () => {
    const { guard, status, body, headers } = await ask(VALID, {});
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="w3ipfs"']);
    expect(body).toMatchObject({ error: { code: 'unauthenticated', reason: 'INVALID_CREDENTIALS' } });
    expect(guard.asked).toEqual([]);
  });

  it('answers 503 with Retry-After, never 401, if there is no verdict', async () => {
    const { status, body, headers } = await ask(new GuardUnavailableError('the service is away', 3));
    expect([status, headers.get('retry-after')]).toEqual([503, '3']);
    expect(body).toMatchObject({ error: { code: 'unavailable' } });
  });

  it('reports the rate limit of a key', async () => {
    const { status, headers } = await ask({ ...VALID, rateLimit: { limit: 100, remaining: 50, resetSeconds: 5 } });
    expect([status, headers.get('ratelimit')]).toEqual([200, '"key";r=50;t=5']);
  });

  it('answers 500 if the guard is used wrongly, and does not let the request pass', async () => {
    const { status } = await ask(new TypeError('no such scope'));
    expect(status).toBe(500);
  });
}
