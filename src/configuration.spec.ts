import { generateKeyPairSync, randomBytes, type KeyPairKeyObjectResult } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEnvironment } from './configuration.js';
import { Networks } from '@w3ipfs/api-keys-guard/decision';
import { credentialKey, isGenuine, mintApiKey, mintSecretKey } from './api-keys/credentials/credentials.js';
import { ConfigurationError } from './config/start-error.js';
import { CredentialKeyring } from './api-keys/credentials/credential-keyring.js';
import { type Route, RouteTable } from './gateway/route-table.js';

/** The mode that the data folder requires: otherwise the service logs that it restricts it. */
const PRIVATE = { mode: 0o600 };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'w3k-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const other = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const short = pem(generateKeyPairSync('rsa', { modulusLength: 1024 }));
const curve = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }));

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://service@db.internal/keys',
  JWT_PUBLIC_KEY: rsa.publicKey,
  CREDENTIAL_KEYS: randomBytes(32).toString('base64'),
  SERVICE_TOKENS: `gateway:${'t'.repeat(32)}`,
};

function problemsOf(variables: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadEnvironment({ DATA_DIR: folder, ...variables });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('outside production', () => {
  it('requires no variables: it generates its secrets once and stores them', () => {
    const first = loadEnvironment({ DATA_DIR: folder });
    const second = loadEnvironment({ DATA_DIR: folder });
    expect(first).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 8000,
      database: { dataDir: folder },
      hashCost: { memoryKib: 1024, passes: 1 },
      redisUrl: undefined,
      managementRateLimit: 60,
      trustedProxies: new Networks([]),
    });
    expect(second).toEqual(first);
  });

  it('stores none for a command that does not depend on them, nor beside an existing database', () => {
    const dataDir = join(folder, 'data');
    expect(loadEnvironment({ DATA_DIR: dataDir }, 'ephemeral').serverKeys).toHaveLength(1);
    expect(existsSync(dataDir)).toBe(false);
    mkdirSync(join(dataDir, 'postgres'), { recursive: true, mode: 0o700 });
    expect(() => loadEnvironment({ DATA_DIR: dataDir })).toThrow('has a database but no secrets.json');
    expect(readdirSync(dataDir)).toEqual(['postgres']);
  });

  it('rejects a command that depends on secrets if none were created or given', () => {
    const asking = (variables = {}) => loadEnvironment({ DATA_DIR: folder, ...variables }, 'reject');
    expect(asking).toThrow(`DATA_DIR: CREDENTIAL_KEYS is not set and ${folder} has no secrets.json`);
    expect(asking({ CREDENTIAL_KEYS: production.CREDENTIAL_KEYS }).serverKeys).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('prefers the given values, and treats an empty variable as absent', () => {
    const variables = { ...production, NODE_ENV: '', DATABASE_URL: '', PORT: '' };
    const environment = loadEnvironment({ DATA_DIR: folder, ...variables });
    const given = credentialKey(Buffer.from(production.CREDENTIAL_KEYS, 'base64'));
    const apiKey = mintApiKey();
    expect(
      isGenuine({ apiKey, secretKey: mintSecretKey(apiKey, [given]) }, new CredentialKeyring(environment).keys),
    ).toBe(true);
    expect(environment).toMatchObject({ port: 8000, developmentSessionKey: undefined, database: { dataDir: folder } });
    expect(existsSync(join(folder, 'secrets.json'))).toBe(false);
  });
});

describe('in production', () => {
  it('accepts a complete configuration, and generates nothing', () => {
    const environment = loadEnvironment({ DATA_DIR: folder, ...production });
    expect(environment).toMatchObject({
      production: true,
      database: { url: production.DATABASE_URL },
      serviceTokens: [{ name: 'gateway', token: 't'.repeat(32) }],
      developmentSessionKey: undefined,
    });
    expect(existsSync(join(folder, 'secrets.json'))).toBe(false);
  });

  it.each(['DATABASE_URL', 'CREDENTIAL_KEYS', 'SERVICE_TOKENS'])('requires %s', (name) => {
    expect(problemsOf({ ...production, [name]: '' })).toEqual([`${name}: must be set with NODE_ENV=production`]);
  });

  it('requires one of the two sources of session keys', () => {
    const expected = ['JWT_PUBLIC_KEY or JWT_JWKS_URL: must be set with NODE_ENV=production'];
    expect(problemsOf({ ...production, JWT_PUBLIC_KEY: undefined })).toEqual(expected);
    expect(problemsOf({ ...production, JWT_PUBLIC_KEY: undefined, JWT_JWKS_URL: 'https://a/jwks.json' })).toEqual([]);
  });
});

it('lists every problem at once, and quotes none of the values', () => {
  const found = problemsOf({
    NODE_ENV: 'production',
    PORT: '65536',
    LOG_LEVEL: 'loud',
    JWT_PUBLIC_KEY: 'no-such-file',
    JWT_JWKS_URL: 'ftp://x',
    JWT_ALGORITHMS: 'RS256,HS256',
    CREDENTIAL_KEYS: 'hunter2',
    SERVICE_TOKENS: 'gateway:hunter2',
    ARGON2_MEMORY_KIB: '7',
    ARGON2_PASSES: '-1',
  });
  expect(found.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
    'ARGON2_MEMORY_KIB',
    'ARGON2_PASSES',
    'CREDENTIAL_KEYS',
    'DATABASE_URL',
    'JWT_ALGORITHMS',
    'JWT_JWKS_URL',
    'JWT_JWKS_URL',
    'JWT_PUBLIC_KEY',
    'LOG_LEVEL',
    'PORT',
    'SERVICE_TOKENS',
  ]);
  expect(found.join()).not.toContain('hunter2');
});

describe('JWT_PUBLIC_KEY', () => {
  const keySource = (JWT_PUBLIC_KEY: string) => loadEnvironment({ DATA_DIR: folder, JWT_PUBLIC_KEY }).session.keySource;

  it('is a PEM, a PEM with escaped line breaks, or the path of a file with one', () => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, rsa.publicKey, PRIVATE);
    for (const written of [rsa.publicKey, rsa.publicKey.replaceAll('\n', '\\n'), file]) {
      expect(keySource(written)).toEqual({ publicKeys: [rsa.publicKey] });
    }
  });

  it('may be several PEMs, each matching an algorithm', () => {
    const file = join(folder, 'keys.pem');
    writeFileSync(file, `# old\n${rsa.publicKey}# new\n${other.publicKey}# none\n`, PRIVATE);
    for (const written of [rsa.publicKey + other.publicKey, file])
      expect(keySource(written)).toEqual({ publicKeys: [rsa.publicKey, other.publicKey] });
    const both = { JWT_PUBLIC_KEY: rsa.publicKey + curve.publicKey };
    expect(problemsOf({ ...both, JWT_ALGORITHMS: 'RS256,ES256' })).toEqual([]);
    for (const JWT_ALGORITHMS of ['RS256', 'ES256', 'RS256,ES256,ES384'])
      expect(problemsOf({ ...both, JWT_ALGORITHMS })).toEqual([expect.stringMatching(/^JWT_ALGORITHMS: /)]);
  });

  it.each([
    ['a private key', { JWT_PUBLIC_KEY: rsa.privateKey }, 'JWT_PUBLIC_KEY'],
    ['a key too short for RS256', { JWT_PUBLIC_KEY: short.publicKey }, 'JWT_ALGORITHMS'],
    ['a key of another kind', { JWT_PUBLIC_KEY: curve.publicKey }, 'JWT_ALGORITHMS'],
    ['another curve', { JWT_PUBLIC_KEY: curve.publicKey, JWT_ALGORITHMS: 'ES384' }, 'JWT_ALGORITHMS'],
    ['a key and part of another', { JWT_PUBLIC_KEY: rsa.publicKey + curve.publicKey.slice(0, 60) }, 'JWT_PUBLIC_KEY'],
    ['a key and a private one', { JWT_PUBLIC_KEY: rsa.publicKey + rsa.privateKey }, 'JWT_PUBLIC_KEY'],
    ['two sources', { JWT_PUBLIC_KEY: rsa.publicKey, JWT_JWKS_URL: 'https://a/b' }, 'JWT_JWKS_URL'],
    ['a symmetric algorithm', { JWT_ALGORITHMS: 'HS256' }, 'JWT_ALGORITHMS'],
    ['no algorithm at all', { JWT_ALGORITHMS: 'none' }, 'JWT_ALGORITHMS'],
  ])('is rejected: %s', (_, variables, name) => {
    expect(problemsOf(variables)).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });

  it('matches ES256 on its curve', () => {
    expect(problemsOf({ JWT_PUBLIC_KEY: curve.publicKey, JWT_ALGORITHMS: 'ES256' })).toEqual([]);
  });
});

it.each([
  ['CREDENTIAL_KEYS', `${randomBytes(32).toString('base64')},${randomBytes(31).toString('base64')}`],
  ['CREDENTIAL_KEYS', `${randomBytes(32).toString('base64')},`],
  ['CREDENTIAL_KEYS', `${Buffer.alloc(32).toString('base64')},${Buffer.alloc(32).toString('base64')}`],
  ['SERVICE_TOKENS', `a:${'t'.repeat(31)}`],
  ['SERVICE_TOKENS', `a:${'t'.repeat(32)},a:${'u'.repeat(32)}`],
  ['SERVICE_TOKENS', 't'.repeat(40)],
  ['DATABASE_URL', 'mysql://x'],
  ['PORT', '8e3'],
  ['REDIS_URL', 'http://127.0.0.1:6379'],
  ['REDIS_URL', '127.0.0.1:6379'],
  ['MANAGEMENT_RATE_LIMIT', '0'],
  ['MANAGEMENT_RATE_LIMIT', '1000001'],
  ['MANAGEMENT_RATE_LIMIT', '1.5'],
  ['TRUSTED_PROXIES', 'localhost'],
  ['TRUSTED_PROXIES', '10.0.0.1/8'],
  ['TRUSTED_PROXIES', '10.0.0.0/8,'],
  ['CORS_ORIGINS', '*'],
  ['CORS_ORIGINS', 'null'],
  ['CORS_ORIGINS', 'app.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com/'],
  ['CORS_ORIGINS', 'https://user@app.example.com'],
  ['CORS_ORIGINS', 'https://*.example.com'],
  ['CORS_ORIGINS', 'https://app.example.com:99999'],
  ['CORS_ORIGINS', 'https://app.example.com,'],
  ['ROUTE_TABLE', '/nowhere/routes.json'],
])('rejects %s=%s', (name, value) => {
  expect(problemsOf({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
});

it.each(['redis://127.0.0.1:6379', 'rediss://user:pass@redis:6380/1'])('accepts %s for REDIS_URL', (REDIS_URL) => {
  expect(loadEnvironment({ DATA_DIR: folder, REDIS_URL }).redisUrl).toBe(REDIS_URL);
});

describe('TRUSTED_PROXIES', () => {
  it('are comma-separated networks, IPv4 or IPv6', () => {
    const { trustedProxies } = loadEnvironment({ DATA_DIR: folder, TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::1' });
    expect(['10.1.2.3', '2001:db8::1', '11.0.0.1'].map((address) => trustedProxies.includes(address))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('are reported by entry', () => {
    expect(problemsOf({ TRUSTED_PROXIES: 'x,10.0.0.1/8' })).toEqual([
      'TRUSTED_PROXIES: entry 1: must be a network such as 192.0.2.0/24 or 2001:db8::/32',
      'TRUSTED_PROXIES: entry 2: must not have bits set behind its prefix; 10.0.0.0/8 was probably meant',
    ]);
  });
});

describe('CORS_ORIGINS', () => {
  const originsOf = (CORS_ORIGINS: string) => loadEnvironment({ DATA_DIR: folder, CORS_ORIGINS }).corsOrigins;

  it('are normalized to the origins that browsers send', () => {
    expect(loadEnvironment({ DATA_DIR: folder }).corsOrigins).toEqual([]);
    expect(originsOf('https://App.example.com:443, http://127.0.0.1:3000,https://app.example.com')).toEqual([
      'https://app.example.com',
      'http://127.0.0.1:3000',
    ]);
    expect(originsOf('http://[::1]:3000,https://m\u00fcnchen.example,tauri://localhost')).toEqual([
      'http://[::1]:3000',
      'https://xn--mnchen-3ya.example',
      'tauri://localhost',
    ]);
  });

  it('are rejected with the reason', () => {
    expect(problemsOf({ CORS_ORIGINS: '*,null,https://a/b' })).toEqual([
      expect.stringMatching(/^CORS_ORIGINS: entry 1: \* is not allowed: .* list the origins$/),
      expect.stringMatching(/^CORS_ORIGINS: entry 2: null is not allowed: .* list the origins$/),
      expect.stringMatching(/^CORS_ORIGINS: entry 3: must be an origin \(.*\), .* https:\/\/app\.example\.com$/),
    ]);
  });
});

describe('ROUTE_TABLE', () => {
  const written = (content: unknown) => {
    const file = join(folder, 'routes.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), PRIVATE);
    return { DATA_DIR: folder, ROUTE_TABLE: file };
  };
  const login = { method: 'POST', path: '/api/auth/login', scope: 'public' };
  const routes = (count: number) => Array.from({ length: count }, (_, index) => ({ ...login, path: `/${index}` }));

  it('extends the built-in table, or replaces it', () => {
    for (const [content, pins] of [
      [[login], ['data.pin_list']],
      [{ extends: null, routes: [login] }, ['admin']],
    ]) {
      const routeTable = new RouteTable(loadEnvironment(written(content)).routes as readonly Route[]);
      expect(routeTable.accessTo('POST', '/api/auth/login')).toBe('public');
      expect(routeTable.accessTo('GET', '/api/pinning/pins')).toEqual(pins);
    }
  });

  it.each<[string, unknown, string[]]>([
    ['no JSON', '[', [': must be the path of a JSON file; its content is not JSON']],
    ['neither', 7, [': must be a list of routes, or an object with extends and routes']],
    ['no list', {}, ['.extends: must be null', '.routes: must be a list of routes']],
    ['a table that extends something', { extends: 'built-in', routes: [] }, ['.extends: must be null']],
    ['what is unknown beside it', { extends: null, routes: [], more: 1 }, ['.more: is not a known property']],
    ['a route that is none', [login, 'GET /'], ['[1]: must be an object with method, path and scope']],
    ['a member too many', [{ ...login, cost: 0 }], ['[0].cost: is not a known property']],
    ['a member by another name', [{ ...login, scopes: 'any' }], ['[0].scopes: is not a known property; scope was ']],
    ['no scope', [{ ...login, scope: undefined }], ['[0].scope: must be one of admin, ']],
    ['an unknown scope', [{ ...login, scope: 'pinning' }], ['[0].scope: must be one of admin, ']],
    ['half a scope', [{ ...login, scope: 'pin_list' }], ['; data.pin_list was probably meant']],
    ['a method in small letters', [{ ...login, method: 'post' }], ['[0].method: must be one method in upper case']],
    [
      'any method',
      [login, { ...login, method: 'ANY' }],
      ['[1].method: must be one method in upper case, such as GET; for'],
    ],
    ['a method that there is not', [{ ...login, method: 'GTE' }], ['[0].method: must be one method in upper case']],
    ['neither method nor path', [{ scope: 'any' }], ['[0].method: must be one', '[0].path: must be a path such as']],
    [
      'a route given twice',
      [login, { ...login, path: '/a/:b/c' }, { ...login, path: '/API/auth/login' }, { ...login, path: '/A/:d/c' }],
      ['[2]: repeats the route of [0]', '[3]: repeats the route of [1]'],
    ],
    [
      'all at once',
      [{ ...login, method: 7 }, login, login, { path: 'x', scope: 'any', method: 'GET', when: 1 }],
      ['[0].method: must be', '[2]: repeats the route of [1]', '[3].path: must be a path', '[3].when: is not a known'],
    ],
    ['too many', routes(1_001), [': must not have more than 1000 routes']],
    ['one beneath', { extends: null, routes: [{ ...login, path: 'x' }] }, ['.routes[0].path: must be a path']],
  ])('is rejected, with the path of each problem: %s', (_, content, expected) => {
    const found = problemsOf(written(content)).map((problem) => problem.replace(/^ROUTE_TABLE/, ''));
    expect(found).toEqual(expected.map((text) => expect.stringContaining(text)));
  });

  it.each(['api', '', '/api/', '/a//b', '/a/../b', '/a/%20', '/a?b', '/*/a', '/a/:', '/a/b*'])(
    'rejects a path that is not a plain path: %s',
    (path) => {
      expect(problemsOf(written([{ ...login, path }]))[0]).toMatch(/^ROUTE_TABLE\[0\]\.path: must be a path/);
    },
  );
});

function pem({ publicKey, privateKey }: KeyPairKeyObjectResult): { publicKey: string; privateKey: string } {
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
