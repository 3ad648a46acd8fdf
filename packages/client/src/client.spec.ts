import { useServer } from '../test/server.js';
import { createClient } from './client.js';

const server = useServer();
const client = (options: object = {}) => createClient({ url: server.url, ...options });
const ID = '01a20b9d-c4d9-7123-b878-6eb9911deb3f';

it('sends the body as JSON, with the documented headers', async () => {
  const body = { name: 'gallery', scopes: { admin: true as const } };
  await client().createApiKey({ body, headers: { 'Idempotency-Key': 'once' } });
  expect(server.requests).toMatchObject([{ method: 'POST', url: '/api/apiKeys' }]);
  expect(server.requests[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': 'once',
  });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual(body);
});

it('gives the data of the answer, and its headers', async () => {
  server.answer = { body: { data: { id: ID }, status: 'success' }, headers: { ETag: '"3"' } };
  const { data, headers } = await client().getApiKey({ path: { id: ID } });
  expect([data, headers.get('ETag')]).toEqual([{ id: ID }, '"3"']);
});

it('gives the whole body of an answer without data', async () => {
  server.answer = { body: { status: 'ok' } };
  expect((await client().isReady()).data).toEqual({ status: 'ok' });
});

it('gives metrics as text', async () => {
  server.answer = { body: '# EOF\n', headers: { 'Content-Type': 'text/plain' } };
  expect((await client().readMetrics()).data).toBe('# EOF\n');
});

it('gives the headers of an answer without a body', async () => {
  server.answer = { body: '', headers: { 'X-W3IPFS-Owner': 'alice' } };
  const { data, headers } = await client().authorizeRequest({ query: { scope: 'pinning.unpin' } });
  expect([data, headers.get('X-W3IPFS-Owner')]).toEqual([undefined, 'alice']);
});

it('encodes what stands in the path and in the query', async () => {
  await client().getApiKey({ path: { id: 'a/b?c' } });
  await client().listApiKeys({ query: { name: 'a&b=ü', limit: 5 } });
  const urls = server.requests.map(({ url }) => url);
  expect(urls).toEqual(['/api/apiKeys/a%2Fb%3Fc', '/api/apiKeys/list?name=a%26b%3D%C3%BC&limit=5']);
});

it('leaves out what is undefined', async () => {
  const call = { query: { limit: undefined }, headers: { 'If-Match': undefined } };
  // As JavaScript, and TypeScript without `exactOptionalPropertyTypes`, may call it
  await client().listApiKeys(call as object);
  expect(server.requests).toMatchObject([{ url: '/api/apiKeys/list' }]);
  expect(server.requests[0]?.headers).not.toHaveProperty('if-match');
});

it('sends neither a body nor its type, if there is none', async () => {
  await client().deleteApiKey({ path: { id: ID } });
  expect(server.requests).toMatchObject([{ method: 'DELETE', body: '' }]);
  expect(server.requests[0]?.headers).not.toHaveProperty('content-type');
});

it('finds a service below a path', async () => {
  await client({ url: `${server.url}/console/` }).isLive();
  expect(server.requests).toMatchObject([{ url: '/console/health/live' }]);
});

it('sends its own headers with every request, and no credentials unless it has them', async () => {
  await client({ headers: { 'X-Console': '1' } }).listApiKeys();
  expect(server.requests[0]?.headers).toMatchObject({ 'x-console': '1' });
  expect(server.requests[0]?.headers).not.toHaveProperty('authorization');
});

it('sends by the fetch that it is given', async () => {
  const urls: unknown[] = [];
  const own: typeof fetch = async (input) => {
    urls.push(input);
    return new Response('{"status":"ok"}');
  };
  await client({ fetch: own }).isLive();
  await client({ fetch: own, url: '/console' }).isLive();
  // A browser completes the second with the origin of the page
  expect(urls).toEqual([`${server.url}/health/live`, '/console/health/live']);
});

it('stops when its signal is aborted, for the reason of the signal', async () => {
  server.answer = 'none';
  await expect(client().isLive({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({ name: 'TimeoutError' });
  const controller = new AbortController();
  const call = client().listApiKeys({ signal: controller.signal });
  controller.abort(new Error('the page was left'));
  await expect(call).rejects.toThrow('the page was left');
});

it('rejects with the error of fetch, without a second try, if there is no answer', async () => {
  let tries = 0;
  const away: typeof fetch = async () => {
    tries += 1;
    throw new TypeError('fetch failed');
  };
  await expect(client({ fetch: away }).listApiKeys()).rejects.toThrow(new TypeError('fetch failed'));
  expect(tries).toBe(1);
});
