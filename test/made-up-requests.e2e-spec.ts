import fc from 'fast-check';
import { documentedBody, issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf, serviceHeaders, serviceVariables } from './support/verification.js';

let service: TestService;
let key: IssuedKey;
beforeAll(async () => {
  service = await startService(serviceVariables);
  key = await issueKey(service.client, 'ann');
});
afterAll(() => service.stop());

const PATHS = ['', '/list', '/testAuthentication', '/verify', '/verify/batch', '/authorize', `/${'0'.repeat(8)}`];
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', '\0', '\ud800', 'admin'),
);
/** What a header can carry at all: the rest would not leave the client. */
const headerText = fc.stringMatching(/^[\t\u0020-\u007e\u0080-\u00ff]*$/);
const scalars = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom(-0, 1e308, 2 ** 53));
const wild = fc.jsonValue({ maxDepth: 9 });

/** A body that fits but for some of its values, which may be anything. */
function nearly(valid: object): fc.Arbitrary<unknown> {
  const names = Object.keys(valid);
  const changes = fc.dictionary(fc.oneof(fc.constantFrom(...names), text), fc.oneof(scalars, wild), { maxKeys: 3 });
  return changes.map((changed) => Object.assign(structuredClone(valid), changed));
}

const limits = { max_uses: 5, rate_limit: { requests: 1, window_seconds: 1 }, allowed_cidrs: ['192.0.2.0/24'] };
const bodies = () =>
  fc.oneof(
    nearly({ ...documentedBody, limits, metadata: { a: 'b' } }),
    nearly(limits).map((changed) => Object.assign({}, documentedBody, { limits: changed })),
    nearly({ ...pairOf(key), scope: 'pinning.unpin', ip: '192.0.2.1', cost: 1 }),
    nearly(pairOf(key)).map((one) => ({ requests: [one, pairOf(key)] })),
    wild,
    text,
    fc.constant(undefined),
  );
const headers = () =>
  fc
    .tuple(
      fc.constantFrom<Record<string, string>>({}, pairHeaders(key), sessionOf('ann'), serviceHeaders),
      fc.dictionary(
        fc.constantFrom(
          'x-forwarded-for',
          'x-original-uri',
          'x-original-method',
          'x-request-id',
          'accept',
          'content-type',
        ),
        headerText,
        { maxKeys: 2 },
      ),
    )
    .map(([credentials, others]) => Object.assign({}, credentials, others));
const queries = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((query) => `?${query}`),
  fc.constantFrom('?scope=admin', '?deny=403', '?limit=100&offset=9', '?%ff=%00', '?scope[]=x'),
);

it('are answered, each of them, and never with an error of ours', async () => {
  const methods = fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH', 'PUT', 'HEAD', 'OPTIONS');
  const requests = fc.record({
    method: methods,
    path: fc.constantFrom(...PATHS),
    query: queries,
    headers: headers(),
    body: bodies(),
  });
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, query, headers: given, body }) => {
      const answer = await service.client.call(method, `/api/apiKeys${path}${query}`, { headers: given, body });
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers['x-request-id']).toEqual(expect.any(String));
      if (answer.status >= 400 && method !== 'HEAD') {
        expect(answer.body).toMatchObject({ status: 'error', error: { code: expect.any(String) } });
      }
    }),
    { numRuns: 3_000 },
  );
});
