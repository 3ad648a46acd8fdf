import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError, DataDirError } from './config/start-error.js';
import { loadEnvironment } from './configuration.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'w3k-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const spki = () =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
const pem = spki();
const token = 't'.repeat(32);
const credentialKey = randomBytes(32).toString('base64');

/** With all secrets given, so that none are generated. */
const load = (variables: NodeJS.ProcessEnv) =>
  loadEnvironment({
    DATA_DIR: folder,
    JWT_PUBLIC_KEY: pem,
    CREDENTIAL_KEYS: credentialKey,
    SERVICE_TOKENS: `gateway:${token}`,
    ...variables,
  });

function problemsOf(variables: NodeJS.ProcessEnv): readonly string[] {
  try {
    load(variables);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const clean = {
  NODE_ENV: 'production',
  HOST: '::1',
  PORT: '8000',
  DATABASE_URL: 'postgres://db/keys',
  REDIS_URL: 'redis://redis/1',
  JWT_ISSUER: 'https://accounts.example/',
  JWT_AUDIENCE: 'https://keys.example',
  JWT_ALGORITHMS: 'RS256',
  CREDENTIAL_KEYS: credentialKey,
  SERVICE_TOKENS: `gateway:${token}`,
  TRUSTED_PROXIES: '10.0.0.0/8,::1/128',
  CORS_ORIGINS: 'https://app.example.com',
  LOG_LEVEL: 'warn',
};

describe('characters around a value', () => {
  it.each([
    ['a carriage return', (value: string) => `${value}\r`],
    ['line breaks', (value: string) => `\r\n${value}\r\n`],
    ['blanks', (value: string) => ` \t${value}\u00a0 `],
    ['a byte order mark', (value: string) => `\ufeff${value}`],
    ['double quotes', (value: string) => `"${value}"`],
    ['single quotes, and a carriage return', (value: string) => ` '${value}'\r`],
    ['quotes with blanks in them', (value: string) => `" ${value} "`],
  ])('are stripped: %s', (_, dirty) => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, pem);
    const variables = { ...clean, JWT_PUBLIC_KEY: file, DATA_DIR: join(folder, 'data') };
    const dirtied = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, dirty(value)]));
    expect(load(dirtied)).toEqual(load(variables));
    expect(load(dirtied).session).toMatchObject({ issuer: clean.JWT_ISSUER, audience: clean.JWT_AUDIENCE });
  });

  it('make a value absent that has no others', () => {
    for (const nothing of ['""', "''", ' ', '\r', '" "'])
      expect(load({ JWT_ISSUER: nothing, REDIS_URL: nothing, PORT: nothing })).toMatchObject({
        port: 8000,
        redisUrl: undefined,
        session: { issuer: undefined },
      });
    expect(problemsOf({ ...clean, JWT_PUBLIC_KEY: pem, SERVICE_TOKENS: '""' })).toEqual([
      'SERVICE_TOKENS: must be set with NODE_ENV=production',
    ]);
  });

  it.each([
    ['"https://accounts.example', /^JWT_ISSUER: must not begin or end with a quote/],
    ['https://accounts.example\u201d', /^JWT_ISSUER: must not begin or end with a quote/],
    ['\u201chttps://accounts.example\u201d', /^JWT_ISSUER: must not begin or end with a quote/],
    ['"one","two"', /^JWT_ISSUER: must not begin or end with a quote/],
    ['\'"both"\'', /^JWT_ISSUER: must not begin or end with a quote/],
    ['https://accounts\r.example', /^JWT_ISSUER: must not contain an invisible character \(a line break\)$/],
    ['https://accounts\u200b.example', /^JWT_ISSUER: must not contain .* \(U\+200B\)$/],
    ['https://accounts\u0000', /^JWT_ISSUER: must not contain .* \(U\+0000\)$/],
  ])('are rejected if they may belong to the value: %j', (JWT_ISSUER, expected) => {
    expect(problemsOf({ JWT_ISSUER })).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ['DATABASE_URL', 'postgres://service:${POSTGRES_PASSWORD}@db/keys', '${'],
    ['SERVICE_TOKENS', 'gateway:$(openssl rand -hex 32)', '$('],
    ['DATA_DIR', '~/data', '~'],
    ['JWT_PUBLIC_KEY', '~/account-service.pem', '~'],
  ])('are rejected if a shell would have expanded them: %s=%s', (name, value, found) => {
    const expected = `${name}: must not contain ${found}, which only a shell expands: write the expanded value`;
    expect(problemsOf({ [name]: value })).toEqual([expected]);
  });

  it('are reported for every variable at once, beside other problems, without quoting a value', () => {
    const found = problemsOf({
      ...clean,
      JWT_PUBLIC_KEY: pem,
      SERVICE_TOKENS: `"gateway:hunter2${token}`,
      CREDENTIAL_KEYS: `hunter2\n${randomBytes(32).toString('base64')}`,
      DATABASE_URL: 'postgres://u:hunt%er2@db/keys',
      PORT: '8000x',
    });
    expect(found.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
      'CREDENTIAL_KEYS',
      'DATABASE_URL',
      'PORT',
      'SERVICE_TOKENS',
    ]);
    expect(found.join()).not.toMatch(/hunt|er2/);
  });

  it('may be line breaks between the entries of a list', () => {
    const keys = [randomBytes(32), randomBytes(32)].map((key) => key.toString('base64'));
    const environment = load({ CREDENTIAL_KEYS: keys.join(',\r\n  '), SERVICE_TOKENS: `a:${token},\nb:${token}\n` });
    expect(environment.serviceTokens.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(environment.serverKeys).toHaveLength(2);
  });
});

describe('JWT_PUBLIC_KEY', () => {
  const other = spki();
  const both = pem + other;

  it.each<[string, (text: string) => string]>([
    ['as \\n', (text) => text.replaceAll('\n', '\\n')],
    ['as \\r\\n', (text) => text.replaceAll('\n', '\\r\\n')],
    ['as carriage returns and line feeds', (text) => text.replaceAll('\n', '\r\n')],
    ['as blanks', (text) => text.replaceAll('\n', ' ')],
    ['indented', (text) => `\n${text.replaceAll(/^/gm, '    ')}`],
    ['after a line break, in quotes', (text) => `"\n${text}"`],
    ['after what is no PEM', (text) => `# the account service's\n${text}`],
    ['in one line', (text) => text.replaceAll(/(?<!-)\n(?!-)/g, '')],
  ])('accepts any form of line breaks, given or in a file, in one PEM or two: %s', (_, written) => {
    for (const [given, keys] of [
      [pem, [pem]],
      [both, [pem, other]],
    ] as const) {
      const file = join(folder, 'key.pem');
      writeFileSync(file, written(given));
      for (const JWT_PUBLIC_KEY of [written(given), file])
        expect(load({ JWT_PUBLIC_KEY }).session.keySource).toEqual({ publicKeys: keys });
    }
  });

  it.each([
    ['/nowhere/key.pem', /^JWT_PUBLIC_KEY: must be .* the path of a readable file \(ENOENT\)$/],
    [Buffer.from(pem).toString('base64'), /^JWT_PUBLIC_KEY: must be in PEM, .* not base64 alone$/],
    [pem.replaceAll(/-----.*/g, '').trim(), /^JWT_PUBLIC_KEY: must be in PEM, with its BEGIN and END lines/],
    [tmpdir(), /^JWT_PUBLIC_KEY: .*\(EISDIR\)$/],
    [pem.replace('-----END PUBLIC KEY-----', ''), /^JWT_PUBLIC_KEY: must be one or more public keys in PEM/],
  ])('is rejected with the reason: %j', (JWT_PUBLIC_KEY, expected) => {
    expect(problemsOf({ JWT_PUBLIC_KEY })).toEqual([expect.stringMatching(expected)]);
  });
});

it.each([
  ['NODE_ENV', 'prod', 'development, test, production'],
  ['LOG_LEVEL', 'INFO', 'error, warn, info, debug'],
])('%s=%s is rejected with the allowed values', (name, value, values) => {
  expect(problemsOf({ [name]: value })).toEqual([`${name}: must be one of ${values}`]);
});

describe('HOST', () => {
  it.each(['127.0.0.1', '0.0.0.0', 'localhost', 'keys-1.internal', '::1'])('may be %s', (HOST) => {
    expect(load({ HOST }).host).toBe(HOST);
  });

  it('may have the brackets of IPv6 in URLs', () => {
    expect(load({ HOST: '[::1]' }).host).toBe('::1');
  });

  it.each(['127.0.0.1:8000', 'http://localhost', '*', '[::1]:8000', '8000'])('is rejected as %s', (HOST) => {
    expect(problemsOf({ HOST })).toEqual([expect.stringMatching(/^HOST: must be an address or a host name/)]);
  });
});

describe('DATA_DIR', () => {
  const problem = (DATA_DIR: string) => {
    try {
      loadEnvironment({ DATA_DIR });
    } catch (error) {
      if (error instanceof DataDirError) return error.message;
      throw error;
    }
    return 'none';
  };

  it('is rejected if it cannot be created', () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    writeFileSync(join(folder, 'file'), '');
    for (const path of ['/proc/x', '/proc/x/y', join(folder, 'file', 'data')])
      expect(problem(path)).toMatch(/^DATA_DIR: the folder .* cannot be created \(E\w+\); choose one/);
    for (const path of [join(folder, 'link'), join(folder, 'link', 'data'), join(folder, 'file')])
      expect(problem(path)).toMatch(/^DATA_DIR: .*(link|file) is not a folder or a link to one; choose another path$/);
  });

  it('is rejected if it contains files of other programs, which stay untouched', () => {
    mkdirSync(join(folder, 'home', 'work'), { recursive: true });
    const before = statSync(join(folder, 'home')).mode;
    expect(problem(join(folder, 'home'))).toMatch(/home contains files of other programs; choose a dedicated folder$/);
    expect(statSync(join(folder, 'home')).mode).toBe(before);
  });

  it('may be a new folder in a new folder, or an empty volume', () => {
    expect(problem(join(folder, 'a', 'b'))).toBe('none');
    mkdirSync(join(folder, 'volume', 'lost+found'), { recursive: true });
    expect(problem(join(folder, 'volume'))).toBe('none');
    expect(readFileSync(join(folder, 'volume', 'secrets.json'), 'utf8')).toContain('credential_key');
  });
});
