import { normalizeScopes, type Scope, SCOPES } from '../src/principals/scopes.js';
import {
  type CapturedRequest,
  IPFS_CALLS,
  MANAGEMENT_CALLS,
  type ManagementCall,
  PLATFORM_CALLS,
  type PlatformCall,
} from './support/captured-requests.js';
import { bodyWith, credentialOf, issueKey, type IssuedKey } from './support/keys.js';
import { trackSecret } from './support/log.js';
import { exchange, type RawAnswer } from './support/raw-exchange.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

let service: TestService;

/** Starts one for the tests of a describe: two at a time would share Passport's strategies. */
function useServiceWith(variables: Record<string, string> = {}): void {
  beforeAll(async () => void (service = await startService(variables)));
  afterAll(() => service.stop());
}

const OWNER = '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0';
const session = sessionOf(OWNER).authorization.replace('Bearer ', '');
trackSecret(session);

/** The bytes that the program sends on behalf of a key. */
function bytesOf({ head, body }: Pick<CapturedRequest, 'head' | 'body'>, key: IssuedKey): string {
  const values: Record<string, string> = { ...key, credential: credentialOf(key), session };
  const filled = head.map((line) => line.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name])));
  return `${filled.join('\r\n')}\r\n\r\n${body}`;
}

const parsed = ({ text }: RawAnswer) => JSON.parse(text);

/** Whether the program treats the answer as a success; a script prints any JSON. */
const TAKES: Record<ManagementCall['reads'], (answer: RawAnswer) => boolean> = {
  status: ({ status }) => status === 200,
  data: (answer) => {
    const { status, data } = parsed(answer);
    return status === 'success' && typeof data === 'object' && data !== null && !Array.isArray(data);
  },
  json: (answer) => parsed(answer) !== undefined,
};

describe('manages keys', () => {
  useServiceWith();

  const effects: Record<ManagementCall['does'], (answer: RawAnswer, key: IssuedKey, sent: string) => unknown> = {
    tests: (answer) =>
      expect(parsed(answer).message).toBe('Congratulations! You are communicating with the Web3 IPFS API!'),
    issues: (answer, _, sent) => {
      const { name, api_key: apiKey, secret_key: secretKey, scopes } = parsed(answer).data;
      // The command line's login accepts only these lengths
      expect([name, apiKey.length, secretKey.length]).toEqual(['gallery', 24, 44]);
      expect(scopes).toEqual(normalizeScopes(JSON.parse(sent).scopes));
    },
    lists: (answer, { id, api_key: apiKey }) => {
      const { total, api_keys: keys } = parsed(answer).data;
      expect(total).toBeGreaterThan(0);
      expect(keys).toContainEqual(
        expect.objectContaining({
          id,
          api_key: apiKey,
          name: expect.any(String),
          scopes: expect.any(Object),
          created_at: expect.any(String),
        }),
      );
    },
    revokes: async (answer, { id }) => {
      expect(parsed(answer)).toMatchObject({ message: 'API key has been deleted', status: 'success' });
      const { body } = await service.client.get(`/api/apiKeys/${id}`, sessionOf(OWNER));
      expect(body.data.status).toBe('revoked');
    },
  };

  it.each(MANAGEMENT_CALLS.map((call) => [call.from, call] as const))('%s', async (_, call) => {
    const key = await issueKey(service.client, OWNER, bodyWith([]));
    const answer = await exchange(service.client.url, bytesOf(call, key));
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(TAKES[call.reads](answer)).toBe(true);
    await effects[call.does](answer, key, call.body);
  });

  it.each(MANAGEMENT_CALLS.map((call) => [call.from, call] as const))('%s recognises a refusal', async (_, call) => {
    const head = call.head.map((line) => line.replace(/\{(session|secret_key)\}/, `w3s_${'0'.repeat(40)}`));
    const key = await issueKey(service.client, OWNER);
    const answer = await exchange(service.client.url, bytesOf({ ...call, head }, key));
    expect([answer.status, parsed(answer).status]).toEqual([401, 'error']);
    expect(TAKES[call.reads](answer)).toBe(call.reads === 'json');
  });
});

/** How gateways ask about a request. */
const WAYS: [string, (call: CapturedRequest) => Pick<CapturedRequest, 'head' | 'body'>][] = [
  [
    'the headers of nginx',
    ({ head: [line = '', ...headers] }) => {
      const [method, uri] = line.split(' ');
      const passed = headers.filter((header) => !/^(?:host|content-length|transfer-encoding):/i.test(header));
      const own = ['Host: w3ipfs_keys', `X-Original-Method: ${method}`, `X-Original-URI: ${uri}`];
      return { head: ['GET /api/apiKeys/authorize?deny=403 HTTP/1.1', ...own, ...passed], body: '' };
    },
  ],
  [
    'a prefix, with the request unchanged',
    ({ head: [line = '', ...headers], body }) => ({
      head: [line.replace(' ', ' /api/apiKeys/authorize/at'), ...headers],
      body,
    }),
  ],
];

const isSession = ({ head }: CapturedRequest) => head.some((line) => line.includes('{session}'));

/** Asserts that the scope lets the request pass, and that all others together do not. */
async function expectScope(call: PlatformCall, scope: Scope, askedBy: (typeof WAYS)[number][1]): Promise<void> {
  const { client } = service;
  const asked = askedBy(call);
  const having = await issueKey(client, OWNER, bodyWith([scope]));
  const { status, text, headers } = await exchange(client.url, bytesOf(asked, having));
  expect([status, text]).toEqual([200, '']);
  const keyId = isSession(call) ? '' : having.id;
  expect([headers['x-w3ipfs-owner'], headers['x-w3ipfs-key-id']]).toEqual([OWNER, keyId]);
  if (isSession(call)) return;
  const others = SCOPES.filter((one) => one !== scope && one !== 'admin');
  const lacking = await issueKey(client, OWNER, bodyWith(others));
  const refused = await exchange(client.url, bytesOf(asked, lacking));
  expect([refused.status, refused.headers['x-w3ipfs-scope'], parsed(refused).status]).toEqual([403, scope, 'error']);
}

describe('calls the platform,', () => {
  useServiceWith();

  describe.each(WAYS)('when the gateway asks by %s:', (_, askedBy) => {
    it.each([...PLATFORM_CALLS, ...IPFS_CALLS].map((call) => [call.from, call] as const))('%s', (_name, call) =>
      expectScope(call, call.needs, askedBy),
    );
  });
});

describe('calls the platform, whose routes are in a ROUTE_TABLE,', () => {
  useServiceWith({ ROUTE_TABLE: 'deploy/routes.example.json' });

  describe.each(WAYS)('when the gateway asks by %s:', (_, askedBy) => {
    it.each(IPFS_CALLS.map((call) => [call.from, call] as const))('%s', (_name, call) =>
      expectScope(call, call.listed ?? call.needs, askedBy),
    );
  });
});
