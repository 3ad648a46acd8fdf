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

/** What guards is there, so that nothing has to be made. */
const load = (variables: NodeJS.ProcessEnv) =>
  loadEnvironment({
    DATA_DIR: folder,
    JWT_PUBLIC_KEY: pem,
    CREDENTIAL_KEYS: credentialKey,
    SERVICE_TOKENS: `gateway:${token}`,
    ...variables,
  });

function offences(variables: NodeJS.ProcessEnv): readonly string[] {
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

describe('whatever is left around a value', () => {
  it.each([
    ['a carriage return', (value: string) => `${value}\r`],
    ['line breaks', (value: string) => `\r\n${value}\r\n`],
    ['blanks', (value: string) => ` \t${value}\u00a0 `],
    ['a byte order mark', (value: string) => `\ufeff${value}`],
    ['double quotes', (value: string) => `"${value}"`],
    ['single quotes, and a carriage return', (value: string) => ` '${value}'\r`],
    ['quotes with blanks in them', (value: string) => `" ${value} "`],
  ])('is taken off it: %s', (_, dirty) => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, pem);
    const variables = { ...clean, JWT_PUBLIC_KEY: file, DATA_DIR: join(folder, 'data') };
    const dirtied = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, dirty(value)]));
    expect(load(dirtied)).toEqual(load(variables));
    expect(load(dirtied).session).toMatchObject({ issuer: clean.JWT_ISSUER, audience: clean.JWT_AUDIENCE });
  });

  it('makes a value that is nothing else an absent one', () => {
    for (const nothing of ['""', "''", ' ', '\r', '" "'])
      expect(load({ JWT_ISSUER: nothing, REDIS_URL: nothing, PORT: nothing })).toMatchObject({
        port: 8000,
        redisUrl: undefined,
        session: { issuer: undefined },
      });
    expect(offences({ ...clean, JWT_PUBLIC_KEY: pem, SERVICE_TOKENS: '""' })).toEqual([
      'SERVICE_TOKENS: must be set with NODE_ENV=production',
    ]);
  });

  it.each([
    ['"https://accounts.example', /^JWT_ISSUER: must be without quotes/],
    ['https://accounts.example\u201d', /^JWT_ISSUER: must be without quotes/],
    ['\u201chttps://accounts.example\u201d', /^JWT_ISSUER: must be without quotes/],
    ['"one","two"', /^JWT_ISSUER: must be without quotes/],
    ['\'"both"\'', /^JWT_ISSUER: must be without quotes/],
    ['https://accounts\r.example', /^JWT_ISSUER: must not have a character .* seen \(a line break\)$/],
    ['https://accounts\u200b.example', /^JWT_ISSUER: must not have .* \(U\+200B\)$/],
    ['https://accounts\u0000', /^JWT_ISSUER: must not have .* \(U\+0000\)$/],
  ])('is refused by name where it may belong to the value: %j', (JWT_ISSUER, expected) => {
    expect(offences({ JWT_ISSUER })).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ['DATABASE_URL', 'postgres://service:${POSTGRES_PASSWORD}@db/keys', '${'],
    ['SERVICE_TOKENS', 'gateway:$(openssl rand -hex 32)', '$('],
    ['DATA_DIR', '~/data', '~'],
    ['JWT_PUBLIC_KEY', '~/account-service.pem', '~'],
  ])('is refused where a shell would have replaced it: %s=%s', (name, value, found) => {
    const expected = `${name}: must not have ${found} in it, which only a shell replaces: write out what it stands for`;
    expect(offences({ [name]: value })).toEqual([expected]);
  });

  it('is told of every variable at once, beside what else is wrong, and quoted of none', () => {
    const found = offences({
      ...clean,
      JWT_PUBLIC_KEY: pem,
      SERVICE_TOKENS: `"gateway:hunter2${token}`,
      CREDENTIAL_KEYS: `hunter2\n${randomBytes(32).toString('base64')}`,
      DATABASE_URL: 'postgres://u:hunt%er2@db/keys',
      PORT: '8000x',
    });
    expect(found.map((offence) => offence.split(':')[0]).toSorted()).toEqual([
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
  ])('may have its lines in any form, here and in a file, one PEM or two: %s', (_, written) => {
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
    ['/nowhere/key.pem', /^JWT_PUBLIC_KEY: must be .* the path of a file that can be read \(ENOENT\)$/],
    [Buffer.from(pem).toString('base64'), /^JWT_PUBLIC_KEY: must be in PEM, .* not in base64 alone$/],
    [pem.replaceAll(/-----.*/g, '').trim(), /^JWT_PUBLIC_KEY: must be in PEM, with its first and last line/],
    [tmpdir(), /^JWT_PUBLIC_KEY: .*\(EISDIR\)$/],
    [pem.replace('-----END PUBLIC KEY-----', ''), /^JWT_PUBLIC_KEY: must be a public key in PEM/],
  ])('is refused in words: %j', (JWT_PUBLIC_KEY, expected) => {
    expect(offences({ JWT_PUBLIC_KEY })).toEqual([expect.stringMatching(expected)]);
  });
});

it.each([
  ['NODE_ENV', 'prod', 'development, test, production'],
  ['LOG_LEVEL', 'INFO', 'error, warn, info, debug'],
])('%s=%s is refused with what it may be', (name, value, values) => {
  expect(offences({ [name]: value })).toEqual([`${name}: must be one of ${values}`]);
});

describe('HOST', () => {
  it.each(['127.0.0.1', '0.0.0.0', 'localhost', 'keys-1.internal', '::1'])('may be %s', (HOST) => {
    expect(load({ HOST }).host).toBe(HOST);
  });

  it('may have the brackets that IPv6 has in URLs', () => {
    expect(load({ HOST: '[::1]' }).host).toBe('::1');
  });

  it.each(['127.0.0.1:8000', 'http://localhost', '*', '[::1]:8000', '8000'])('is refused as %s', (HOST) => {
    expect(offences({ HOST })).toEqual([expect.stringMatching(/^HOST: must be an address or a name/)]);
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

  it('is refused where nothing can be made', () => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'));
    writeFileSync(join(folder, 'file'), '');
    for (const path of ['/proc/x', '/proc/x/y', join(folder, 'file', 'data')])
      expect(problem(path)).toMatch(/^DATA_DIR: the folder .* cannot be made \(E\w+\); choose one/);
    for (const path of [join(folder, 'link'), join(folder, 'link', 'data'), join(folder, 'file')])
      expect(problem(path)).toMatch(
        /^DATA_DIR: .*(link|file) is no folder, nor a link that leads to one; choose another$/,
      );
  });

  it('is refused where it is somebody else’s, and nothing in it is touched', () => {
    mkdirSync(join(folder, 'home', 'work'), { recursive: true });
    const before = statSync(join(folder, 'home')).mode;
    expect(problem(join(folder, 'home'))).toMatch(/home holds what is not this service's; choose a folder of its own$/);
    expect(statSync(join(folder, 'home')).mode).toBe(before);
  });

  it('may be a new folder in a new folder, or a volume', () => {
    expect(problem(join(folder, 'a', 'b'))).toBe('none');
    mkdirSync(join(folder, 'volume', 'lost+found'), { recursive: true });
    expect(problem(join(folder, 'volume'))).toBe('none');
    expect(readFileSync(join(folder, 'volume', 'secrets.json'), 'utf8')).toContain('credential_key');
  });
});
