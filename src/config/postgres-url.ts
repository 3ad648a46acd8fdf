import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { ClientConfig } from 'pg';
import { readConnectionUrl, readPort, assertSingleHost } from './connection-url.js';
import { InvalidValueError } from './invalid-value.js';

const URL_KIND = { schemes: ['postgres', 'postgresql'], example: 'postgres://user:password@host:5432/name' };

/** Those of libpq's that are taken (PostgreSQL's documentation, 34.1.2). */
const SERVER_PARAMETERS = ['host', 'port', 'user', 'password', 'dbname', 'application_name', 'options'];
/** And `uselibpqcompat`, which pg has for what is meant here anyway. */
const TLS_PARAMETERS = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];
const PARAMETERS = [...SERVER_PARAMETERS, ...TLS_PARAMETERS];
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];
/** As JDBC has it, which libpq takes too, and as pg calls what libpq calls `require`. */
const MODE_ALIASES: Record<string, Mode> = { true: 'require', false: 'disable', 'no-verify': 'require' };

/** libpq's word for the authorities that are trusted already, here by Node. */
const SYSTEM_STORE = 'system';

type Parameters = ReadonlyMap<string, string>;

/**
 * What pg is to know of the server in a URL. It means what it means to libpq: pg's own reading would take
 * `sslmode=require` for `verify-full`, and every parameter for one of its options.
 *
 * @throws InvalidValueError, also where a file of a certificate cannot be used
 */
export function postgresOptions(url: string): ClientConfig {
  const { user, password, host: named, path, parameters } = readConnectionUrl(url, URL_KIND);
  assertKnownParameters(parameters);
  const host = parameters.get('host') ?? named?.name;
  assertSingleHost(host ?? '');
  const port = parameters.get('port');
  const database = parameters.get('dbname') ?? path;
  if (!database) throw new InvalidValueError(`must name the database, as in ${URL_KIND.example}`);
  return {
    user: parameters.get('user') ?? user,
    password: parameters.get('password') ?? password,
    host,
    port: port === undefined ? named?.port : readPort(port),
    database,
    // As libpq has it, there is no TLS over a unix socket
    ssl: host?.startsWith('/') ? false : readTls(parameters),
    ...pick(parameters, ['application_name', 'options']),
  };
}

function assertKnownParameters(parameters: Parameters): void {
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw new InvalidValueError(
      `has the parameter ${unknown}, which is not taken; these are: ${PARAMETERS.join(', ')}`,
    );
}

function pick(parameters: Parameters, names: readonly string[]): ClientConfig {
  return Object.fromEntries([...parameters].filter(([name]) => names.includes(name)));
}

/** `undefined` where the URL does not say: there is none then, unless pg finds `PGSSLMODE`. */
function readTls(parameters: Parameters): boolean | ConnectionOptions | undefined {
  const mode = readMode(parameters);
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => readCertificate(parameters, name));
  if (mode === 'disable') return false;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (mode === undefined) {
    if (Object.keys(files).length === 0) return undefined;
    throw new InvalidValueError('must have sslmode=verify-full or sslmode=verify-ca where it names certificates');
  }
  if (mode === 'verify-ca' && !ca) throw new InvalidValueError('must have sslrootcert where it has sslmode=verify-ca');
  assertUsableFiles(files);
  return { ...files, ...RELAXED_CHECKS[ca && mode === 'require' ? 'verify-ca' : mode] };
}

/** What is not checked of the server's certificate. */
const RELAXED_CHECKS: Record<Exclude<Mode, 'disable'>, ConnectionOptions> = {
  require: { rejectUnauthorized: false },
  'verify-ca': { checkServerIdentity: () => undefined },
  'verify-full': {},
};

function readMode(parameters: Parameters): Mode | undefined {
  const given = parameters.get('sslmode') ?? parameters.get('ssl');
  const isSystem = parameters.get('sslrootcert') === SYSTEM_STORE;
  const mode =
    given === undefined && isSystem ? 'verify-full' : MODES.find((one) => one === (MODE_ALIASES[given ?? ''] ?? given));
  if (given !== undefined && mode === undefined)
    throw new InvalidValueError(
      `must have one of ${MODES.join(', ')} as sslmode; what goes on without TLS where the server has none, as prefer, is not taken`,
    );
  // Of what the whole world trusts, anybody can have a certificate for a host of his own
  if (isSystem && mode !== 'verify-full')
    throw new InvalidValueError('must have sslmode=verify-full with sslrootcert=system');
  return mode;
}

function readCertificate(parameters: Parameters, name: string): string | undefined {
  const file = parameters.get(name);
  if (!file || (name === 'sslrootcert' && file === SYSTEM_STORE)) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidValueError(`must have a file that can be read as ${name} (${codeOf(error)})`);
  }
}

/** @throws InvalidValueError */
function assertUsableFiles(files: { ca?: string; cert?: string; key?: string }): void {
  try {
    // What is no certificate of an authority would be ignored
    if (files.ca) x509(files.ca);
    createSecureContext(files);
  } catch (error) {
    throw new InvalidValueError(`must have certificates in PEM, and the key that goes with sslcert (${codeOf(error)})`);
  }
}

function x509(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
