import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { ClientConfig } from 'pg';
import { readConnectionUrl, readPort, assertSingleHost } from './connection-url.js';
import { InvalidValueError } from './invalid-value.js';

const URL_KIND = { schemes: ['postgres', 'postgresql'], example: 'postgres://user:password@host:5432/name' };

/** The parameters of libpq that are supported (PostgreSQL's documentation, 34.1.2). */
const SERVER_PARAMETERS = ['host', 'port', 'user', 'password', 'dbname', 'application_name', 'options'];
/** With `uselibpqcompat`, by which pg selects the semantics that apply here anyway. */
const TLS_PARAMETERS = ['sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat'];
const PARAMETERS = [...SERVER_PARAMETERS, ...TLS_PARAMETERS];
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];
/** JDBC's `ssl`, which libpq accepts too, and pg's `no-verify`, which is libpq's `require`. */
const MODE_ALIASES: Record<string, Mode> = { true: 'require', false: 'disable', 'no-verify': 'require' };

/** libpq's name for the default certificate authorities, here Node's. */
const SYSTEM_STORE = 'system';

type Parameters = ReadonlyMap<string, string>;

/**
 * Converts a URL to options of pg, with the semantics of libpq: pg itself would read `sslmode=require` as `verify-full`,
 * and any parameter as one of its options.
 *
 * @throws InvalidValueError, also if a certificate's file is invalid
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
    // As in libpq, unix sockets never use TLS
    ssl: host?.startsWith('/') ? false : readTls(parameters),
    ...pick(parameters, ['application_name', 'options']),
  };
}

function assertKnownParameters(parameters: Parameters): void {
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw new InvalidValueError(`has the unsupported parameter ${unknown}; supported are: ${PARAMETERS.join(', ')}`);
}

function pick(parameters: Parameters, names: readonly string[]): ClientConfig {
  return Object.fromEntries([...parameters].filter(([name]) => names.includes(name)));
}

/** `undefined` if the URL does not say: no TLS then, unless pg finds `PGSSLMODE`. */
function readTls(parameters: Parameters): boolean | ConnectionOptions | undefined {
  const mode = readMode(parameters);
  const [ca, cert, key] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => readCertificate(parameters, name));
  if (mode === 'disable') return false;
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  if (mode === undefined) {
    if (Object.keys(files).length === 0) return undefined;
    throw new InvalidValueError('must have sslmode=verify-full or sslmode=verify-ca if it names certificates');
  }
  if (mode === 'verify-ca' && !ca) throw new InvalidValueError('must have sslrootcert if it has sslmode=verify-ca');
  assertUsableFiles(files);
  return { ...files, ...RELAXED_CHECKS[ca && mode === 'require' ? 'verify-ca' : mode] };
}

/** The checks of the server's certificate that each mode skips. */
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
      `must have one of ${MODES.join(', ')} as sslmode; modes that fall back to no TLS, such as prefer, are not supported`,
    );
  // Anyone can get a certificate of a public authority for their own host
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
    throw new InvalidValueError(`must have a readable file as ${name} (${codeOf(error)})`);
  }
}

/** @throws InvalidValueError */
function assertUsableFiles(files: { ca?: string; cert?: string; key?: string }): void {
  try {
    // createSecureContext() ignores an invalid CA certificate
    if (files.ca) x509(files.ca);
    createSecureContext(files);
  } catch (error) {
    throw new InvalidValueError(`must have certificates in PEM, and the key of sslcert (${codeOf(error)})`);
  }
}

function x509(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
