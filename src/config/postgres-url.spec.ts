import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../../test/support/certificates.js';
import { InvalidValueError } from './invalid-value.js';
import { connectionOptions } from '../database/safe-client.js';
import { postgresOptions } from './postgres-url.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'w3k-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function problemOf(url: string): string {
  try {
    postgresOptions(url);
  } catch (error) {
    if (error instanceof InvalidValueError) return error.message;
    throw error;
  }
  return 'none';
}

it.each([
  ['postgres://ann:pw@db:6000/keys', { user: 'ann', password: 'pw', host: 'db', port: 6000, database: 'keys' }],
  ['postgresql://db/keys', { user: undefined, password: undefined, host: 'db', port: undefined, database: 'keys' }],
  ['POSTGRES://ann@[::1]:6000/keys', { host: '::1', port: 6000 }],
  ['postgres://a%40b:p%40%25%23%2F%3F%3A:w@db/k%20s', { user: 'a@b', password: 'p@%#/?::w', database: 'k s' }],
  ['postgres:///keys?host=/run/postgresql&port=6000', { host: '/run/postgresql', port: 6000, database: 'keys' }],
  ['postgres://ann@/keys?host=/run/postgresql', { user: 'ann', host: '/run/postgresql', ssl: false }],
  ['postgres://%2Frun%2Fpostgresql/keys?sslmode=require', { host: '/run/postgresql', ssl: false }],
  ['postgres://x@y/z?user=ann&password=p%26w&host=::1&dbname=keys', { user: 'ann', password: 'p&w', host: '::1' }],
  ['postgres://db/keys?application_name=us&options=-c%20x%3Dy', { application_name: 'us', options: '-c x=y' }],
  ['postgres://db/keys?', { ssl: undefined }],
])('parses %s like libpq', (url, expected) => {
  expect(postgresOptions(url)).toMatchObject(expected);
});

it('sets our application_name, unless the URL has one', () => {
  const nameOf = (url: string) =>
    connectionOptions({ url }, { statementTimeoutMs: 1, lockTimeoutMs: 1 }).application_name;
  expect([nameOf('postgres://db/keys'), nameOf('postgres://db/keys?application_name=us')]).toEqual([
    'w3ipfs-api-keys',
    'us',
  ]);
});

it.each([
  ['postgres://u:hunt%er2@db/keys', /^has an unencoded %, perhaps in its password: .*% as %25/],
  ['postgres://u:hunt%ffer2@db/keys', /^has an unencoded %,/],
  ['postgres://u:hunt#er2@db/keys', /^has an unencoded #,.* # as %23/],
  ['postgres://u:123#hunter2@db/keys', /^has an unencoded #,/],
  ['postgres://u:hunt@er2@db/keys', /^has an unencoded @,.* @ as %40/],
  ['postgres://u:hunt/er2@db/keys', /^has an unencoded \/, \? or @,.* \/ as %2F/],
  ['postgres://u:123/hunter2@db/keys', /^has an unencoded \/, \? or @,/],
  ['postgres://u:123?hunter2=1@db/keys', /^has an unencoded \/, \? or @,.* \? as %3F/],
  ['postgres://u:hunt er2@db/keys', /^has an unencoded space.* a space as %20/],
  ['postgres://u:hunter2@db', /^must name the database/],
  ['postgres://u:hunter2@db/', /^must name the database/],
  ['postgres://u:hunter2@db/keys/', /^must be a URL such as postgres:/],
  ['postgres://u:hunter2@db:pg/keys', /^must have a host and optionally a port/],
  ['postgres://u:hunter2@db:0/keys', /^must have a host and optionally a port/],
  ['postgres://u:hunter2@::1:5432/keys', /^must have a host and .* \[::1\]/],
  ['postgres://u:hunter2@a,b:5433/keys', /^must name one server/],
  ['postgres://u:hunter2@/keys?host=a,b', /^must name one server/],
  ['postgres://u:hunter2@db/keys?pgbouncer=true', /^has the unsupported parameter pgbouncer; supported are: host, /],
  ['postgres://u:hunter2@db/keys?statement_timeout=0', /^has the unsupported parameter statement_timeout; /],
  [
    'postgres://u:hunter2@db/keys?sslmode=prefer',
    /^must have one of disable, require, verify-ca, verify-full as sslmode/,
  ],
  ['postgres://u:hunter2@db/keys?sslmode=', /as sslmode/],
  ['postgres://u:hunter2@db/keys?sslmode=verify-ca', /^must have sslrootcert /],
  ['postgres://u:hunter2@db/keys?sslmode=require&sslrootcert=system', /^must have sslmode=verify-full /],
  ['postgres://u:hunter2@db/keys?sslrootcert=/etc/hosts', /^must have sslmode=verify-full or sslmode=verify-ca /],
  ['postgres://u:hunter2@db/keys?sslmode=verify-full&sslrootcert=/nowhere', /sslrootcert \(ENOENT\)$/],
  ['host=db user=u password=hunter2 dbname=keys', /^must be a URL|^has an unencoded space/],
  ['db:5432/keys', /^must be a URL such as postgres:/],
  ['jdbc:postgresql://db/keys?password=hunter2', /^must be a URL such as postgres:/],
])('rejects %s with the reason, and quotes no part of the password', (url, expected) => {
  expect(problemOf(url)).toMatch(expected);
  expect(problemOf(url)).not.toMatch(/hunt|er2/);
});

describe('sslmode', () => {
  const ssl = (parameters: string) => postgresOptions(`postgres://db/keys?${parameters}`).ssl;

  it('has the semantics of libpq', () => {
    const { ca, cert, key } = makeCertificates(folder);
    expect(ssl('sslmode=disable')).toBe(false);
    for (const encrypted of ['sslmode=require', 'sslmode=require&uselibpqcompat=true', 'ssl=true', 'sslmode=no-verify'])
      expect(ssl(encrypted)).toEqual({ rejectUnauthorized: false });
    expect(ssl('sslmode=verify-full')).toEqual({});
    for (const system of ['sslmode=verify-full&sslrootcert=system', 'sslrootcert=system'])
      expect(ssl(system)).toEqual({});
    const authority = expect.stringContaining('BEGIN CERTIFICATE');
    expect(ssl(`sslmode=verify-full&sslrootcert=${ca}`)).toEqual({ ca: authority });
    for (const mode of ['require', 'verify-ca'])
      expect(ssl(`sslmode=${mode}&sslrootcert=${ca}`)).toEqual({
        ca: authority,
        checkServerIdentity: expect.any(Function),
      });
    expect(ssl(`sslmode=require&sslcert=${cert}&sslkey=${key}`)).toEqual({
      cert: authority,
      key: expect.stringContaining('PRIVATE KEY'),
      rejectUnauthorized: false,
    });
  });

  it('requires valid certificate files', () => {
    const file = join(folder, 'no.pem');
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(problemOf(`postgres://db/keys?sslmode=verify-full&sslrootcert=${file}`)).toMatch(
      /^must have certificates in PEM/,
    );
    writeFileSync(file, 'no certificate');
    expect(problemOf(`postgres://db/keys?sslmode=verify-full&sslrootcert=${file}`)).toMatch(
      /^must have certificates in PEM/,
    );
  });
});
