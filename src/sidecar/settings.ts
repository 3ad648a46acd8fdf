import { Networks } from '@w3ipfs/api-keys-guard/decision';
import { z } from 'zod';
import { InvalidValueError } from '../config/invalid-value.js';
import { parseWith } from '../config/parse-variables.js';
import { logLevel, networkList, serviceTokenList } from '../config/shared-variables.js';
import { parsedBy, wholeNumber } from '../config/variable-types.js';
import type { Route } from '../gateway/route-table.js';
import { readRouteTable } from '../gateway/route-table-file.js';
import { type ListenAddress, readListenAddress, readServiceAddress, type ServiceAddress } from './addresses.js';

/** The validated configuration of the sidecar; docs/guard.md explains each variable. */
export interface SidecarSettings {
  service: ServiceAddress;
  /** The sidecar's own token at the service. */
  token: string;
  listen: ListenAddress;
  /** Who may ask the sidecar to verify. */
  serviceTokens: readonly { name: string; token: string }[];
  staleIfErrorSeconds: number;
  cacheKeys: number;
  routes: readonly Route[];
  trustedProxies: Networks;
  logLevel: 'error' | 'warn' | 'info' | 'debug';
}

const schema = z.object({
  GUARD_URL: parsedBy(readServiceAddress),
  GUARD_TOKEN: parsedBy(readToken),
  GUARD_LISTEN: parsedBy(readListenAddress).default({ host: '127.0.0.1', port: 8010 }),
  SERVICE_TOKENS: serviceTokenList,
  STALE_IF_ERROR_SECONDS: wholeNumber(0, 600).default(0),
  GUARD_CACHE_KEYS: wholeNumber(1, 10_000_000).default(100_000),
  ROUTE_TABLE: z.string().optional().transform(readRouteTable),
  TRUSTED_PROXIES: networkList.default([]),
  LOG_LEVEL: logLevel.default('info'),
});

/** The names of all variables. */
export const SIDECAR_VARIABLES = Object.keys(schema.shape);

/** @throws ConfigurationError listing every problem */
export function readSidecarSettings(source: NodeJS.ProcessEnv): SidecarSettings {
  const variables = parseWith(schema, SIDECAR_VARIABLES, source);
  return {
    service: variables.GUARD_URL,
    token: variables.GUARD_TOKEN,
    listen: variables.GUARD_LISTEN,
    serviceTokens: variables.SERVICE_TOKENS,
    staleIfErrorSeconds: variables.STALE_IF_ERROR_SECONDS,
    cacheKeys: variables.GUARD_CACHE_KEYS,
    routes: variables.ROUTE_TABLE,
    trustedProxies: new Networks(variables.TRUSTED_PROXIES),
    logLevel: variables.LOG_LEVEL,
  };
}

function readToken(text: string): string {
  if (/^[\x21-\x7e]{32,}$/.test(text)) return text;
  throw new InvalidValueError("must be a token of the service's SERVICE_TOKENS, without its name and the colon");
}
