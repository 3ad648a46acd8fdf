import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { ConfigurationError, DataDirError } from './start-error.js';
import { Networks } from '../addresses/networks.js';
import { type DevelopmentSecrets, developmentSecrets, type MissingSecretsPolicy } from './development-secrets.js';
import { type ReadRoutes, type Route, type Variables, parseVariables } from './variables.js';

/** Where the records are: a PostgreSQL server, or the embedded one in a folder. */
export type DatabaseLocation = { url: string } | { dataDir: string };

/** How session tokens (JWT, RFC 7519) are verified; exactly one source of keys is there. */
interface SessionSettings {
  keySource: { publicKeys: readonly string[] } | { jwksUrl: string };
  /** How long a fetched key set is used before it is fetched again. */
  keySetMaxAgeSeconds: number;
  issuer: string | undefined;
  audience: string | undefined;
  algorithms: Variables['JWT_ALGORITHMS'];
}

/** The cost of one argon2id hash (RFC 9106): memory in KiB and passes over it, on one lane. */
export interface HashCost {
  memoryKib: number;
  passes: number;
}

interface ServiceToken {
  name: string;
  token: string;
}

/** The validated configuration; the README tells what each variable is for. */
export interface Environment {
  production: boolean;
  host: string;
  port: number;
  database: DatabaseLocation;
  session: SessionSettings;
  /** 32 bytes each: the first signs secrets, all verify them; kept answers are encrypted under keys derived from them. */
  serverKeys: readonly [Buffer, ...Buffer[]];
  serviceTokens: readonly ServiceToken[];
  hashCost: HashCost;
  /** How many keys a process remembers. */
  verificationCacheKeys: number;
  /** How many bytes they may take together. */
  verificationCacheBytes: number;
  /** Within how many milliseconds a revocation holds everywhere. */
  revocationBoundMs: number;
  /** How long known keys keep verifying while the database is away; 0 refuses at once. */
  staleIfErrorSeconds: number;
  /** Where rate limits are counted for all processes; absent: each counts for itself. */
  redisUrl: string | undefined;
  /** How many requests a minute each principal may make of the management endpoints. */
  managementRateLimit: number;
  /** How many keys that are not revoked an owner may have. */
  maxKeysPerOwner: number;
  /** The proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: Networks;
  /** What gateways ask of a request, by its route; the first that matches counts. */
  routes: readonly Route[];
  /** The origins whose scripts may call, as browsers send them. */
  corsOrigins: readonly string[];
  /** For how many days a revoked key can still be read. */
  retentionDays: number;
  logLevel: Variables['LOG_LEVEL'];
  /** Where traces are sent (OTLP over HTTP); absent: none are made. */
  otlpEndpoint: string | undefined;
  /** Present where the public key of `session` is the one the service made itself; never in production. */
  developmentSessionKey: string | undefined;
  /** Present where it is the only service token, which the service made itself; never in production. */
  developmentServiceToken: string | undefined;
}

/** The token under which the configuration is injected. */
export const ENVIRONMENT = Symbol('Environment');

/**
 * Reads the configuration from environment variables. Outside production, what guards and is
 * missing is made once and kept in `DATA_DIR`.
 *
 * @param readRoutes reads the file of `ROUTE_TABLE`
 * @param missing what else becomes of it
 * @throws ConfigurationError listing every offence
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
  // Nothing that is asked depends on the others
  const otherwise = missing === 'refuse' && variables.CREDENTIAL_KEYS ? 'invent' : missing;
  try {
    return developmentSecrets(resolve(variables.DATA_DIR), otherwise);
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
  if (value === undefined) throw new Error('parseVariables() let a missing secret pass');
  return value;
}
