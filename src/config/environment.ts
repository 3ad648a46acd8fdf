import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { ConfigurationError, DataDirError } from './start-error.js';
import { Networks } from '@w3ipfs/api-keys-guard/decision';
import { type DevelopmentSecrets, developmentSecrets, type MissingSecretsPolicy } from './development-secrets.js';
import { type ReadRoutes, type Route, type Variables, parseVariables } from './variables.js';

/** Where records are stored: on a PostgreSQL server, or in the embedded database of a folder. */
export type DatabaseLocation = { url: string } | { dataDir: string };

/** How session tokens (JWT, RFC 7519) are verified; there is exactly one source of keys. */
interface SessionSettings {
  keySource: { publicKeys: readonly string[] } | { jwksUrl: string };
  /** Maximum age of a fetched key set before it is fetched again. */
  keySetMaxAgeSeconds: number;
  issuer: string | undefined;
  audience: string | undefined;
  algorithms: Variables['JWT_ALGORITHMS'];
}

/** The cost of one argon2id hash (RFC 9106): memory in KiB and passes, with one lane. */
export interface HashCost {
  memoryKib: number;
  passes: number;
}

interface ServiceToken {
  name: string;
  token: string;
}

/** The validated configuration; the README documents each variable. */
export interface Environment {
  production: boolean;
  host: string;
  port: number;
  database: DatabaseLocation;
  session: SessionSettings;
  /** 32 bytes each. The first signs secrets, all verify them; stored answers are encrypted with keys derived from them. */
  serverKeys: readonly [Buffer, ...Buffer[]];
  serviceTokens: readonly ServiceToken[];
  hashCost: HashCost;
  /** Maximum number of keys in the cache of a process. */
  verificationCacheKeys: number;
  /** Maximum size of that cache, in bytes. */
  verificationCacheBytes: number;
  /** Maximum time in milliseconds until every process enforces a revocation. */
  revocationBoundMs: number;
  /** How long cached keys are served stale while the database is unavailable; 0 rejects them at once. */
  staleIfErrorSeconds: number;
  /** Where rate limits are shared between processes; absent: limits are per process. */
  redisUrl: string | undefined;
  /** Maximum management requests per minute and principal. */
  managementRateLimit: number;
  /** Maximum unrevoked keys per owner. */
  maxKeysPerOwner: number;
  /** Proxies whose `X-Forwarded-For` is trusted. */
  trustedProxies: Networks;
  /** The scope that each route requires; the first match applies. */
  routes: readonly Route[];
  /** Origins allowed by CORS, as browsers send them. */
  corsOrigins: readonly string[];
  /** How many days revoked keys remain readable. */
  retentionDays: number;
  logLevel: Variables['LOG_LEVEL'];
  /** Where traces are sent (OTLP over HTTP); absent: tracing is off. */
  otlpEndpoint: string | undefined;
  /** The private key, if the service generated the key pair for sessions itself; never in production. */
  developmentSessionKey: string | undefined;
  /** The only service token, if the service generated it itself; never in production. */
  developmentServiceToken: string | undefined;
}

/** The injection token of the configuration. */
export const ENVIRONMENT = Symbol('Environment');

/**
 * Reads the configuration from environment variables. Outside production, missing secrets are handled as `missing` says.
 *
 * @param readRoutes reads the file of `ROUTE_TABLE`
 * @throws ConfigurationError listing every problem
 */
export function readEnvironment(
  source: NodeJS.ProcessEnv,
  readRoutes: ReadRoutes,
  missing: MissingSecretsPolicy,
): Environment {
  const variables = parseVariables(source, readRoutes);
  const secrets = needsDevelopmentSecrets(variables) ? readDevelopmentSecrets(variables, missing) : undefined;
  const [signingKey, ...olderKeys] = variables.CREDENTIAL_KEYS ?? [];
  const session = sessionSettings(variables, secrets);
  const developmentServiceToken = variables.SERVICE_TOKENS ? undefined : required(secrets).serviceToken;
  return {
    production: variables.NODE_ENV === 'production',
    host: variables.HOST,
    port: variables.PORT,
    database: variables.DATABASE_URL ? { url: variables.DATABASE_URL } : { dataDir: resolve(variables.DATA_DIR) },
    session: session.settings,
    serverKeys: [signingKey ?? Buffer.from(required(secrets).credentialKey, 'base64'), ...olderKeys],
    serviceTokens: variables.SERVICE_TOKENS ?? [{ name: 'local', token: required(developmentServiceToken) }],
    hashCost: { memoryKib: variables.ARGON2_MEMORY_KIB, passes: variables.ARGON2_PASSES },
    verificationCacheKeys: variables.VERIFICATION_CACHE_KEYS,
    verificationCacheBytes: variables.VERIFICATION_CACHE_MB * 1_048_576,
    revocationBoundMs: variables.REVOCATION_BOUND_MS,
    staleIfErrorSeconds: variables.STALE_IF_ERROR_SECONDS,
    redisUrl: variables.REDIS_URL,
    managementRateLimit: variables.MANAGEMENT_RATE_LIMIT,
    maxKeysPerOwner: variables.MAX_KEYS_PER_OWNER,
    trustedProxies: new Networks(variables.TRUSTED_PROXIES),
    routes: variables.ROUTE_TABLE,
    corsOrigins: variables.CORS_ORIGINS,
    retentionDays: variables.RETENTION_DAYS,
    logLevel: variables.LOG_LEVEL,
    otlpEndpoint: variables.OTEL_EXPORTER_OTLP_ENDPOINT,
    developmentSessionKey: session.developmentKey,
    developmentServiceToken,
  };
}

function needsDevelopmentSecrets(variables: Variables): boolean {
  return !variables.CREDENTIAL_KEYS || !variables.SERVICE_TOKENS || !hasSessionKeySource(variables);
}

function hasSessionKeySource(variables: Variables): boolean {
  return Boolean(variables.JWT_PUBLIC_KEY ?? variables.JWT_JWKS_URL);
}

function readDevelopmentSecrets(variables: Variables, missing: MissingSecretsPolicy): DevelopmentSecrets {
  // Only CREDENTIAL_KEYS affects the result of such a command
  const policy = missing === 'reject' && variables.CREDENTIAL_KEYS ? 'ephemeral' : missing;
  try {
    return developmentSecrets(resolve(variables.DATA_DIR), policy);
  } catch (error) {
    if (error instanceof DataDirError) throw error;
    throw new ConfigurationError([`DATA_DIR: ${(error as Error).message}`]);
  }
}

function sessionSettings(variables: Variables, secrets: DevelopmentSecrets | undefined) {
  const { JWT_PUBLIC_KEY, JWT_JWKS_URL } = variables;
  const developmentKey = hasSessionKeySource(variables) ? undefined : required(secrets).sessionPrivateKey;
  const settings: SessionSettings = {
    keySource: JWT_JWKS_URL
      ? { jwksUrl: JWT_JWKS_URL }
      : { publicKeys: JWT_PUBLIC_KEY ?? [publicKeyOf(required(developmentKey))] },
    keySetMaxAgeSeconds: variables.JWT_JWKS_MAX_AGE_SECONDS,
    issuer: variables.JWT_ISSUER,
    audience: variables.JWT_AUDIENCE,
    algorithms: developmentKey ? ['RS256'] : variables.JWT_ALGORITHMS,
  };
  return { settings, developmentKey };
}

function publicKeyOf(privateKey: string): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('parseVariables() accepted a missing secret');
  return value;
}
