import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@hey-api/openapi-ts';
import { Validator } from '@seriousme/openapi-schema-validator';
import { ERROR_CODES } from '../src/http/errors/error-codes.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { fullScopes } from './support/keys.js';
import { useService } from './support/service.js';
import { signToken } from './support/sessions.js';

const execute = promisify(execFile);

let document: any;
const service = useService();
beforeAll(async () => {
  document = (await service.client.get('/openapi.json')).body;
});

it('is the document in the repository (if not: npm run openapi)', () => {
  expect(document).toEqual(JSON.parse(readFileSync('openapi.json', 'utf8')));
});

it('is valid OpenAPI 3.1', async () => {
  expect(document.openapi).toBe('3.1.0');
  expect(await new Validator().validate(document)).toMatchObject({ valid: true });
});

it('has a page that renders it', async () => {
  const page = await service.client.get('/docs');
  expect(page.status).toBe(200);
  expect(page.text).toContain('swagger-ui');
});

describe('the page', () => {
  const PATHS = ['/docs', '/docs/', '/docs/index.html'];
  const FILES = ['/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui-init.js', '/openapi.json'];
  const policyOf = (headers: Record<string, unknown>) =>
    Object.fromEntries(
      String(headers['content-security-policy'])
        .split(';')
        .map((directive) => directive.trim().split(/ (.*)/s, 2)),
    );
  const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

  it.each([...PATHS, ...FILES, '/docs/no-such-file.js'])(
    'forbids framing, sniffing and referrers: %s',
    async (path) => {
      const { headers } = await service.client.get(path);
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(policyOf(headers)).toMatchObject({ 'default-src': "'none'", 'frame-ancestors': "'none'" });
    },
  );

  it.each(PATHS)('runs and loads only its own files: %s', async (path) => {
    const { status, headers, text } = await service.client.get(path);
    expect(status).toBe(200);
    const policy = policyOf(headers);
    expect(policy).toMatchObject({
      'script-src': "'self'",
      'connect-src': "'self'",
      'form-action': "'none'",
      'base-uri': "'none'",
    });
    expect(policy['style-src']).not.toContain("'unsafe-inline'");
    // Nothing inline but styles, each listed by its hash
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>|\son\w+=|javascript:/i);
    const blocks = [...text.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map(([, css]) => css ?? '');
    const attributes = [...text.matchAll(/\sstyle=(["'])(.*?)\1/g)].map(([, , css]) => css ?? '');
    expect(blocks.length).toBeGreaterThan(0);
    for (const css of [...blocks, ...attributes]) expect(policy['style-src'].split(' ')).toContain(digest(css));
    if (attributes.length > 0) expect(policy['style-src']).toContain("'unsafe-hashes'");
    const loaded = [...text.matchAll(/(?:src|href)=(["'])(.*?)\1/g)].map(([, , url]) => url ?? '');
    expect(loaded.length).toBeGreaterThan(4);
    for (const url of loaded) {
      expect(url).toMatch(/^\.\//);
      // From there, the page would look for its files in a wrong folder
      if (path === '/docs/index.html') continue;
      const { pathname } = new URL(url, new URL(path, service.client.url));
      expect([pathname, (await service.client.get(pathname)).status]).toEqual([pathname, 200]);
    }
  });
});

const operations = () =>
  Object.values<Record<string, any>>(document.paths).flatMap((methods) => Object.values<any>(methods));

it('gives every operation a unique, stable id', () => {
  expect(
    operations()
      .map(({ operationId }) => operationId)
      .toSorted(),
  ).toEqual([
    'authorizeRequest',
    'createApiKey',
    'deleteApiKey',
    'getApiKey',
    'getApiKeyUsage',
    'isLive',
    'isReady',
    'listApiKeys',
    'listEvents',
    'listKeyChanges',
    'readMetrics',
    'reportLeak',
    'reportVerdicts',
    'rotateApiKey',
    'testAuthentication',
    'updateApiKey',
    'verifyApiKey',
    'verifyApiKeys',
  ]);
});

it('shows an example of every answer, in its envelope', () => {
  for (const { responses } of operations()) {
    for (const [status, response] of Object.entries<any>(responses)) {
      // A gateway reads only the status and the headers
      if (!response.content) {
        expect(response.headers).toMatchObject({ 'X-W3IPFS-Code': expect.any(Object) });
        continue;
      }
      if (status === '200' && response.content['text/plain']) continue;
      const content = response.content['application/json'];
      if (status.startsWith('2')) {
        expect(content.schema.examples ?? [content.example]).toEqual([expect.any(Object)]);
        continue;
      }
      for (const [code, { value }] of Object.entries<any>(content.examples)) {
        expect(value).toMatchObject({ status: 'error', error: { code }, request_id: expect.any(String) });
        expect(ERROR_CODES[code as keyof typeof ERROR_CODES].status).toBe(Number(status));
      }
    }
  }
});

it('documents every way to authenticate, and the two bodies of the documentation', () => {
  const { security, requestBody } = document.paths['/api/apiKeys'].post;
  expect(security).toEqual([
    { session: [] },
    { pinning_api_key: [], pinning_secret_key: [] },
    { credential: [] },
    { basic: [] },
  ]);
  expect(document.components.securitySchemes).toMatchObject({
    credential: { type: 'http', scheme: 'bearer' },
    basic: { type: 'http', scheme: 'basic' },
  });
  const examples = Object.values<any>(requestBody.content['application/json'].examples).map(({ value }) => value.name);
  expect(examples).toEqual(['test-api-key', 'Admin api key']);
});

it('makes a typed client that issues, lists and deletes a key', async () => {
  // Beside the sources, so that the client's imports resolve like an application's
  const folder = makeFolder('test');
  try {
    await createClient({
      input: 'openapi.json',
      output: { path: join(folder, 'sdk'), importFileExtension: '.js' },
      logs: { level: 'silent' },
    });
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CLIENT_TSCONFIG));
    await execute('node_modules/.bin/tsc', ['-p', folder]);
    const { stdout } = await execute(process.execPath, [join(folder, 'program.js'), service.client.url, signToken()]);
    expect(JSON.parse(stdout)).toEqual({
      issued: 'by a generated client',
      listed: ['by a generated client'],
      works: 'Congratulations! You are communicating with the Web3 IPFS API!',
      deleted: 'API key has been deleted',
      refused: 'unauthenticated',
    });
  } finally {
    removeFolder(folder);
  }
});

const CLIENT_TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'NodeNext',
    target: 'ES2023',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    types: ['node'],
  },
};

/** Code of a user of the client, which compiles only if the document's types are as it expects. */
const PROGRAM = `
import { client } from './sdk/client.gen.js';
import { createApiKey, deleteApiKey, listApiKeys, testAuthentication } from './sdk/index.js';

const [baseUrl, token] = process.argv.slice(2);
client.setConfig({ baseUrl, headers: { Authorization: 'Bearer ' + token } });

const body = {
  name: 'by a generated client',
  scopes: ${JSON.stringify(fullScopes(['data.pin_list', 'data.nft_list']))},
};
const { data: created } = await createApiKey({ body, throwOnError: true });
const { data: listed } = await listApiKeys({ query: { limit: 5 }, throwOnError: true });
const pair = { pinning_api_key: created.data.api_key, pinning_secret_key: created.data.secret_key, Authorization: null };
const { data: works } = await testAuthentication({ headers: pair, throwOnError: true });
const { data: deleted } = await deleteApiKey({ path: { id: created.data.id }, throwOnError: true });
const { error } = await testAuthentication({ headers: pair });
const refused: 'unauthenticated' | string | undefined = error?.error.code;

console.log(JSON.stringify({
  issued: created.data.name,
  listed: listed.data.api_keys.map((key) => key.name),
  works: works.message,
  deleted: deleted.message,
  refused,
}));
`;
