import { ApiError } from '../../../../src/http/errors/api-error.js';
import { failure } from '../../../../src/http/envelope.js';
import { refusalError } from '../../../../src/principals/refusal-errors.js';
import type { Scope } from '../../../../src/principals/scopes.js';
import { readCredentials } from '../../../../src/principals/presented-credentials.js';
import { parsedRequest } from '../../../../test/support/parsed-request.js';
import { createFakeGuard, type FakeGuard, PAIR, VALID } from '../../test/fake-guard.js';
import { REFUSALS } from '../decision/index.js';
import type { GuardVerdict } from '../types.js';
import { GuardUnavailableError } from '../unavailable-error.js';
import { admit } from './admit.js';
import { RefusedRequest } from './refused-request.js';
import { COMMON_HEADERS, JSON_TYPE } from './response-headers.js';

const PRESENTED = [`pinning_api_key: ${PAIR.apiKey}`, `pinning_secret_key: ${PAIR.secretKey}`];
const SCOPES: Scope[] = ['data.pin_list', 'pinning.unpin'];
const OTHER_ID = /^[\da-f-]{36}$/;

/** The refusal of a request with these lines in its head. */
async function refusal(answer: FakeGuard['answer'], lines = PRESENTED) {
  const guard: FakeGuard = { ...createFakeGuard(), answer };
  const admission = await admit(guard, await parsedRequest(lines), { scope: SCOPES });
  if (!(admission instanceof RefusedRequest)) throw new Error('was admitted');
  return admission;
}

/** The answer of the service to the same. */
function answerOf(error: ApiError, id: string) {
  const headers = { ...COMMON_HEADERS, 'Content-Type': JSON_TYPE, 'X-Request-Id': id, ...error.headers };
  return { status: error.status, headers, body: failure(error, id) };
}

it.each(REFUSALS.filter((code) => code !== 'RATE_LIMITED'))('answers %s as the service does', async (code) => {
  const verdict: GuardVerdict = { ...VALID, valid: false, code };
  const expected = answerOf(refusalError(code, { missing: ['pinning.unpin'] }), 'id-1');
  expect(await refusal(verdict, [...PRESENTED, 'X-Request-Id: id-1'])).toEqual(expected);
});

it('answers a spent rate as the service does, to be retried when all of it is available again', async () => {
  const rate = { limit: 100, remaining: 0, resetSeconds: 9 };
  const refused = await refusal({ valid: false, code: 'RATE_LIMITED', rateLimit: rate, source: 'remote' });
  const expected = refusalError('RATE_LIMITED', {
    rates: [{ name: 'key', ...rate, windowSeconds: 1, retryAfterSeconds: 9 }],
  });
  expect(refused).toMatchObject({ status: 429, body: { error: { code: expected.code, message: expected.message } } });
  expect(refused.headers).toMatchObject({ ...expected.headers, 'RateLimit-Policy': '"key";q=100' });
});

it.each([
  ['an incomplete pair', [`pinning_api_key: ${PAIR.apiKey}`]],
  ['a credential twice', [...PRESENTED, `Authorization: Bearer ${PAIR.apiKey}.${PAIR.secretKey}`]],
  ['a header twice', [...PRESENTED, `pinning_api_key: ${PAIR.apiKey}`]],
  ['an unknown scheme', ['Authorization: Digest x']],
])('answers %s as the service does, without asking the guard', async (_, lines) => {
  const error = readCredentials(await parsedRequest(lines));
  if (!(error instanceof ApiError)) throw new Error('the service accepts it');
  const refused = await refusal(new Error('was asked'), [...lines, 'X-Request-Id: id-1']);
  expect(refused).toEqual(answerOf(error, 'id-1'));
});

it('says to a session, and to a request without credentials, that it takes an API key', async () => {
  const answers = await Promise.all(
    [['Authorization: Bearer e30.e30.c2ln'], []].map((lines) => refusal(new Error('was asked'), lines)),
  );
  for (const { status, headers, body } of answers) {
    expect([status, headers['WWW-Authenticate']]).toEqual([401, 'Bearer realm="w3ipfs"']);
    expect(body).toMatchObject({ error: { code: 'unauthenticated', reason: 'INVALID_CREDENTIALS' } });
  }
  expect(answers[0]?.body).toMatchObject({ error: { message: /^This route takes an API key, not a session\./ } });
  expect(answers[1]?.body).toMatchObject({ error: { message: /^Present an API key: / } });
});

it.each([
  ['thrown', (reason: Error) => reason],
  ['by a promise', (reason: Error) => Promise.reject(reason)],
])('answers 503, never 401, if there is no verdict: %s', async (_, given) => {
  const { status, headers, body } = await refusal(given(new GuardUnavailableError('no answer from 10.0.0.1', 7)));
  expect([status, headers['Retry-After'], headers['WWW-Authenticate']]).toEqual([503, '7', undefined]);
  expect(body).toMatchObject({ status: 'error', error: { code: 'unavailable' } });
  expect(JSON.stringify(body)).not.toContain('10.0.0.1');
});

it('leaves other errors to the application', async () => {
  const error = new TypeError('no such scope');
  await expect(refusal(error)).rejects.toBe(error);
  await expect(refusal(Promise.reject(error))).rejects.toBe(error);
});

it('makes a request id unless the client sent a well-formed one', async () => {
  const sent = await refusal(new GuardUnavailableError('', 1), [...PRESENTED, 'X-Request-Id: <script>']);
  expect(sent.headers['X-Request-Id']).toMatch(OTHER_ID);
  expect(sent.body).toMatchObject({ request_id: sent.headers['X-Request-Id'] });
});

it('decides at once where the guard does', async () => {
  const guard = createFakeGuard();
  expect(admit(guard, await parsedRequest(PRESENTED), {})).toBe(VALID);
  expect(guard.asked).toEqual([{ presented: PAIR, required: {} }]);
});
