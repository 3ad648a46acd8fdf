import { createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { postgresOptions } from './postgres-url.js';
import { InvalidNetworkError, type Network, parseNetwork } from '../addresses/networks.js';
import { redisOptions } from './redis-url.js';
import { cleanVariables } from './clean-variables.js';
import { listOf } from './comma-separated.js';
import { InvalidValueError } from './invalid-value.js';
import { readOrigin } from './origins.js';
import { readPublicKeys } from './public-keys.js';
import { ConfigurationError } from './start-error.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
const CURVES = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' } as const;

/** A route of the platform and what it requires: a scope's name, `any` credentials, or none (`public`). */
export interface Route {
  method: string;
  path: string;
  scope: string;
}

/** Reads the routes from the file of `ROUTE_TABLE`, or the built-in ones; adds problems to the context. */
export type ReadRoutes = (file: string | undefined, context: z.RefinementCtx) => readonly Route[];

const schemaWith = (readRoutes: ReadRoutes) =>
  z
    .object({
      NODE_ENV: oneOf(['development', 'test', 'production']).default('development'),
      HOST: z.string().transform(toHost).default('127.0.0.1'),
      PORT: wholeNumber(0, 65_535).default(8000),
      LOG_LEVEL: oneOf(['error', 'warn', 'info', 'debug']).default('info'),
      DATABASE_URL: connectionUrl(postgresOptions).optional(),
      DATA_DIR: z.string().default('./data'),
      REDIS_URL: connectionUrl(redisOptions).optional(),
      OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s):// URL' }).optional(),
      JWT_PUBLIC_KEY: parsedBy(readPublicKeys).optional(),
      JWT_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s):// URL' }).optional(),
      JWT_ISSUER: z.string().optional(),
      JWT_AUDIENCE: z.string().optional(),
      JWT_ALGORITHMS: listOf(toAlgorithm).default(['RS256']),
      CREDENTIAL_KEYS: listOf(toCredentialKey)
        .refine((keys) => hasNoDuplicates(keys.map((key) => key.toString('base64'))), 'must not repeat an entry')
        .optional(),
      SERVICE_TOKENS: listOf(toServiceToken)
        .refine((tokens) => hasNoDuplicates(tokens.map(({ name }) => name)), 'must not repeat a name')
        .optional(),
      VERIFICATION_CACHE_KEYS: wholeNumber(1, 100_000_000).default(100_000),
      VERIFICATION_CACHE_MB: wholeNumber(1, 1_000_000).default(256),
      REVOCATION_BOUND_MS: wholeNumber(100, 60_000).default(1_000),
      STALE_IF_ERROR_SECONDS: wholeNumber(0, 86_400).default(30),
      MANAGEMENT_RATE_LIMIT: wholeNumber(1, 1_000_000).default(60),
      MAX_KEYS_PER_OWNER: wholeNumber(1, 100_000_000).default(100_000),
      JWT_JWKS_MAX_AGE_SECONDS: wholeNumber(1, 86_400).default(60),
      TRUSTED_PROXIES: listOf(toNetwork).default([]),
      ROUTE_TABLE: z.string().optional().transform(readRoutes),
      CORS_ORIGINS: listOf(readOrigin)
        .transform((origins) => [...new Set(origins)])
        .default([]),
      RETENTION_DAYS: wholeNumber(1, 36_500).default(90),
      ARGON2_MEMORY_KIB: wholeNumber(8, 4_194_304).default(1024),
      ARGON2_PASSES: wholeNumber(1, 100).default(1),
    })
    .refine(({ JWT_PUBLIC_KEY, JWT_JWKS_URL }) => !JWT_PUBLIC_KEY || !JWT_JWKS_URL, {
      path: ['JWT_JWKS_URL'],
      message: 'must not be set together with JWT_PUBLIC_KEY',
      when: () => true,
    })
    .refine(
      ({ JWT_PUBLIC_KEY: pems = [], JWT_ALGORITHMS: algorithms }) =>
        algorithms.every((one) => pems.some((pem) => matchesKey(one, pem))) &&
        pems.every((pem) => algorithms.some((one) => matchesKey(one, pem))),
      {
        path: ['JWT_ALGORITHMS'],
        message: 'must match the type and size of JWT_PUBLIC_KEY',
        when: ({ value }) => areBothParsed(value),
      },
    );

/** The names of all variables. */
export const VARIABLE_NAMES = Object.keys(schemaWith(() => []).shape);

/** The variables after parsing, under their own names. */
export type Variables = z.infer<ReturnType<typeof schemaWith>>;

/**
 * Parses all variables; an empty one counts as absent.
 *
 * @throws ConfigurationError listing every problem; it never quotes a value, which may be secret
 */
export function parseVariables(source: NodeJS.ProcessEnv, readRoutes: ReadRoutes): Variables {
  const { values, problems } = cleanVariables(source, VARIABLE_NAMES);
  const parsed = schemaWith(readRoutes).safeParse(values);
  const issues = parsed.success ? [] : parsed.error.issues;
  // A value that is not clean gets no further problems
  const found = issues.filter(({ path }) => !problems.has(String(path[0])));
  const all = [
    ...[...problems].map((problem) => problem.join(': ')),
    ...found.map(({ code, path, message }) => `${pathOf(path, code === 'custom')}: ${message}`),
  ];
  if (values['NODE_ENV'] === 'production') all.push(...missingInProduction(values));
  if (!parsed.success || all.length > 0) throw new ConfigurationError([...new Set(all)]);
  return parsed.data;
}

/** The variable and, for a problem inside its file, the path: `ROUTE_TABLE[3].method`. */
function pathOf([variable, ...within]: PropertyKey[], isInFile: boolean): string {
  const steps = isInFile ? within : [];
  return String(variable) + steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}

/** In production, secrets and storage have no defaults. */
function missingInProduction(given: NodeJS.ProcessEnv): string[] {
  const required = ['DATABASE_URL', 'CREDENTIAL_KEYS', 'SERVICE_TOKENS'].filter((name) => given[name] === undefined);
  if (!given['JWT_PUBLIC_KEY'] && !given['JWT_JWKS_URL']) required.push('JWT_PUBLIC_KEY or JWT_JWKS_URL');
  return required.map((name) => `${name}: must be set with NODE_ENV=production`);
}

function oneOf<const T extends readonly string[]>(values: T) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` });
}

function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

/** @param read throws InvalidValueError, which becomes the problem */
function parsedBy<T>(read: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });
}

/** Validates a URL and keeps its text: the client that connects parses it again. */
function connectionUrl(read: (url: string) => unknown) {
  return parsedBy((url) => {
    read(url);
    return url;
  });
}

/** An address or a host name; IPv6 without the brackets of URLs. */
function toHost(text: string, context: z.RefinementCtx): string {
  const host = text.replace(/^\[(.+)\]$/, '$1');
  if (isIP(host) === 0 && !/^(?!\d+$)[\w-]+(\.[\w-]+)*$/.test(host))
    context.addIssue(
      'must be an address or a host name to listen on, without a port, such as 127.0.0.1, ::1 or 0.0.0.0 (all)',
    );
  return host;
}

function toAlgorithm(text: string): (typeof ALGORITHMS)[number] {
  const known = ALGORITHMS.find((algorithm) => algorithm === text);
  if (known === undefined) throw new InvalidValueError(`must be one of ${ALGORITHMS.join(', ')}`);
  return known;
}

function toCredentialKey(text: string): Buffer {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  throw new InvalidValueError(
    'must be 32 bytes each in base64, comma-separated (generate one with: openssl rand -base64 32)',
  );
}

function toServiceToken(text: string): { name: string; token: string } {
  const [name = '', ...rest] = text.split(':');
  const token = rest.join(':');
  if (/^[\w.-]{1,100}$/.test(name) && /^[\x21-\x7e]{32,}$/.test(token)) return { name, token };
  throw new InvalidValueError(
    'must be name:token, comma-separated, each token of at least 32 printable ASCII characters',
  );
}

function toNetwork(text: string): Network {
  try {
    return parseNetwork(text);
  } catch (error) {
    throw error instanceof InvalidNetworkError ? new InvalidValueError(error.message) : error;
  }
}

function hasNoDuplicates(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

function areBothParsed(value: unknown): boolean {
  const { JWT_PUBLIC_KEY, JWT_ALGORITHMS } = value as Record<string, unknown>;
  return Array.isArray(JWT_PUBLIC_KEY) && Array.isArray(JWT_ALGORITHMS);
}

function matchesKey(algorithm: (typeof ALGORITHMS)[number], pem: string): boolean {
  const key = createPublicKey(pem);
  if (algorithm === 'ES256' || algorithm === 'ES384' || algorithm === 'ES512') {
    return key.asymmetricKeyDetails?.namedCurve === CURVES[algorithm];
  }
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
