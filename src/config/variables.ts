import { z } from 'zod';
import { postgresOptions } from './postgres-url.js';
import { redisOptions } from './redis-url.js';
import { listOf } from './comma-separated.js';
import { readOrigin } from './origins.js';
import { readPublicKeys } from './public-keys.js';
import { matchesKey, readAlgorithm } from './jwt-algorithms.js';
import { parseWith } from './parse-variables.js';
import { hasNoDuplicates, logLevel, networkList, serviceTokenList } from './shared-variables.js';
import { readCredentialKey, readHost } from './value-readers.js';
import { connectionUrl, oneOf, parsedBy, wholeNumber } from './variable-types.js';

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
      HOST: parsedBy(readHost).default('127.0.0.1'),
      PORT: wholeNumber(0, 65_535).default(8000),
      LOG_LEVEL: logLevel.default('info'),
      DATABASE_URL: connectionUrl(postgresOptions).optional(),
      DATA_DIR: z.string().default('./data'),
      REDIS_URL: connectionUrl(redisOptions).optional(),
      OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http(s):// URL' }).optional(),
      JWT_PUBLIC_KEY: parsedBy(readPublicKeys).optional(),
      JWT_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s):// URL' }).optional(),
      JWT_ISSUER: z.string().optional(),
      JWT_AUDIENCE: z.string().optional(),
      JWT_ALGORITHMS: listOf(readAlgorithm).default(['RS256']),
      CREDENTIAL_KEYS: listOf(readCredentialKey)
        .refine((keys) => hasNoDuplicates(keys.map((key) => key.toString('base64'))), 'must not repeat an entry')
        .optional(),
      SERVICE_TOKENS: serviceTokenList.optional(),
      VERIFICATION_CACHE_KEYS: wholeNumber(1, 100_000_000).default(100_000),
      VERIFICATION_CACHE_MB: wholeNumber(1, 1_000_000).default(256),
      REVOCATION_BOUND_MS: wholeNumber(100, 60_000).default(1_000),
      STALE_IF_ERROR_SECONDS: wholeNumber(0, 86_400).default(30),
      MANAGEMENT_RATE_LIMIT: wholeNumber(1, 1_000_000).default(60),
      MAX_KEYS_PER_OWNER: wholeNumber(1, 100_000_000).default(100_000),
      JWT_JWKS_MAX_AGE_SECONDS: wholeNumber(1, 86_400).default(60),
      TRUSTED_PROXIES: networkList.default([]),
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
  return parseWith(schemaWith(readRoutes), VARIABLE_NAMES, source, (given) =>
    given['NODE_ENV'] === 'production' ? missingInProduction(given) : [],
  );
}

/** In production, secrets and storage have no defaults. */
function missingInProduction(given: NodeJS.ProcessEnv): string[] {
  const required = ['DATABASE_URL', 'CREDENTIAL_KEYS', 'SERVICE_TOKENS'].filter((name) => given[name] === undefined);
  if (!given['JWT_PUBLIC_KEY'] && !given['JWT_JWKS_URL']) required.push('JWT_PUBLIC_KEY or JWT_JWKS_URL');
  return required.map((name) => `${name}: must be set with NODE_ENV=production`);
}

function areBothParsed(value: unknown): boolean {
  const { JWT_PUBLIC_KEY, JWT_ALGORITHMS } = value as Record<string, unknown>;
  return Array.isArray(JWT_PUBLIC_KEY) && Array.isArray(JWT_ALGORITHMS);
}
