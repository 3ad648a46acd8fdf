import { useServer } from '../test/server.js';
import { ApiKeysError } from './api-keys-error.js';
import { createClient } from './client.js';

const server = useServer();
const refused = async (): Promise<ApiKeysError> => {
  const thrown = await createClient({ url: server.url, credentials: 'a-token-that-is-secret' })
    .listApiKeys()
    .catch((error: unknown) => error);
  if (!(thrown instanceof ApiKeysError)) throw new Error('the call was not refused', { cause: thrown });
  return thrown;
};
const answerWith = (status: number, error: object, headers: Record<string, string> = {}) => {
  server.answer = { status, body: { status: 'error', error, request_id: 'request-1' }, headers };
};

it('has what the service said', async () => {
  const details = [{ path: 'limit', message: 'must be an integer from 1 to 100' }];
  answerWith(400, { code: 'validation_failed', message: 'It is invalid', details }, { 'X-Request-Id': 'request-1' });
  expect(await refused()).toMatchObject({
    name: 'ApiKeysError',
    message: 'It is invalid',
    status: 400,
    code: 'validation_failed',
    reason: undefined,
    details,
    requestId: 'request-1',
    retryAfterSeconds: undefined,
  });
});

it('has the reason why nobody was authenticated, and no details if there are none', async () => {
  answerWith(401, { code: 'unauthenticated', message: 'No', reason: 'EXPIRED' });
  expect(await refused()).toMatchObject({ reason: 'EXPIRED', details: [] });
});

describe('when to try again', () => {
  const secondsFor = async (value: string) => {
    answerWith(429, { code: 'rate_limited', message: 'No' }, { 'Retry-After': value });
    return (await refused()).retryAfterSeconds;
  };

  it('is a number of seconds', async () => {
    expect(await secondsFor('7')).toBe(7);
  });

  it('may be given as a date', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    const seconds = await secondsFor(inAnHour);
    // The date has no fraction of a second, and the machine may be slow
    expect(seconds).toBeGreaterThan(3_000);
    expect(seconds).toBeLessThanOrEqual(3_600);
    expect(await secondsFor('Wed, 21 Oct 2015 07:28:00 GMT')).toBe(0);
  });

  it('is unknown if it is neither', async () => {
    expect(await secondsFor('soon')).toBeUndefined();
  });
});

it.each([
  ['a page of a proxy', 502, '<h1>Bad gateway</h1>'],
  ['a page of another server', 200, '<h1>Welcome</h1>'],
  ['JSON of another server', 200, { hello: 'world' }],
  ['a failure of another server', 404, { error: 'not found' }],
  ['null', 500, 'null'],
  ['half of an answer', 200, '{"data": {'],
])('says that %s is not from the API', async (_, status, body) => {
  server.answer = { status, body };
  const error = await refused();
  expect(error).toMatchObject({ status, code: 'unexpected_answer' });
  expect(error.message).toContain(`${server.url}/api/apiKeys/list is ${status}`);
});

it('follows no redirect, which would take the credentials along', async () => {
  server.answer = { status: 302, headers: { Location: `${server.url}/elsewhere` }, body: '' };
  expect(await refused()).toMatchObject({ status: 302, code: 'unexpected_answer' });
  expect(server.requests.map(({ url }) => url)).toEqual(['/api/apiKeys/list']);
});

it('does not contain the credentials', async () => {
  answerWith(401, { code: 'unauthenticated', message: 'No' });
  const error = await refused();
  expect(JSON.stringify(error) + String(error.stack)).not.toContain('a-token-that-is-secret');
});
