import { isIPv4 } from 'node:net';
import { type KeyPair, pairOfCredential, parseForwardedAddress, formatAddress } from '@w3ipfs/api-keys-guard/decision';
import { isScope, SCOPES } from '../principals/scopes.js';
import { type ErrorDetail, MissingBodyError, ValidationError } from '../http/errors/api-error.js';
import { probablyMeant, unknownMember } from '../suggestions/suggestions.js';
import type { VerifyRequest } from './verifier.js';

const MAX_REQUESTS = 100;
const MAX_COST = 1_000_000;
const PROPERTIES = ['api_key', 'secret_key', 'credential', 'scope', 'ip', 'cost', 'grant'];
const KNOWN = new Set(PROPERTIES);
const NOT_A_SCOPE = 'must be the name of a scope, like pinning.unpin';
const NOT_SCOPES = `${NOT_A_SCOPE}, or a list of such names`;

type Body = Record<string, unknown>;
type Report = (name: string, message: string) => void;

/**
 * Reads the body of `POST /api/apiKeys/verify`. Plain code, since it runs on every call of a service; the DTO of the same
 * shape describes it in the OpenAPI document.
 *
 * @throws ValidationError naming every problem by its path
 */
export function readVerifyRequest(body: unknown): VerifyRequest {
  const details: ErrorDetail[] = [];
  const request = read(body ?? {}, '', details);
  throwIfInvalid(body, details);
  return request;
}

/** Reads the body of `POST /api/apiKeys/verify/batch`: `{"requests": [...]}`, 1 to 100. */
export function readVerifyBatch(body: unknown): VerifyRequest[] {
  const { requests, ...unknown } = (body ?? {}) as Body;
  const details = Object.keys(unknown).map((name, index) => unknownMember(name, ['requests'], { rank: index }));
  const isBatch = Array.isArray(requests) && requests.length >= 1 && requests.length <= MAX_REQUESTS;
  if (!isBatch) details.push({ path: 'requests', message: `must be a list of 1 to ${MAX_REQUESTS} requests` });
  const batch = isBatch ? requests.map((one, index) => readElement(one, `requests.${index}`, details)) : [];
  throwIfInvalid(body, details);
  return batch as VerifyRequest[];
}

/** @throws ValidationError if there are problems */
function throwIfInvalid(body: unknown, details: ErrorDetail[]): void {
  if (details.length > 0) throw body === undefined ? new MissingBodyError(details) : new ValidationError(details);
}

/** The number of requests that the body of a batch counts as, before it is validated. */
export function weightOfBatch(body: unknown): number {
  const requests = (body as Body | null | undefined)?.['requests'];
  return Array.isArray(requests) ? Math.min(Math.max(requests.length, 1), MAX_REQUESTS) : 1;
}

function readElement(value: unknown, path: string, details: ErrorDetail[]): VerifyRequest | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return read(value, `${path}.`, details);
  details.push({ path, message: 'must be an object with api_key and secret_key, or credential' });
  return undefined;
}

function read(value: unknown, at: string, details: ErrorDetail[]): VerifyRequest {
  const body = value as Body;
  const report: Report = (name, message) => details.push({ path: at + name, message });
  for (const name in body) {
    if (!KNOWN.has(name)) details.push(unknownMember(name, PROPERTIES, { parent: at, rank: details.length }));
  }
  const pair = readPair(body, report);
  const { scope, cost = 1, grant = false } = body;
  const ip = readAddress(body['ip'], report);
  if (!isCost(cost)) report('cost', `must be a whole number from 0 to ${MAX_COST}`);
  if (typeof grant !== 'boolean') report('grant', 'must be true or false');
  const needed = readScopes(scope, details, at);
  return { pair, requirements: { scopes: needed, ip, cost }, wantsGrant: grant } as VerifyRequest;
}

function readScopes(scope: unknown, details: ErrorDetail[], at: string): unknown[] {
  if (scope === undefined) return [];
  const names = Array.isArray(scope) ? (scope as unknown[]) : [scope];
  if (names.length === 0) details.push({ path: `${at}scope`, message: 'must name at least one scope' });
  for (let index = 0; index < names.length; index++) {
    if (isScope(names[index])) continue;
    const meant = probablyMeant(names[index], SCOPES, details.length);
    const [path, message] = Array.isArray(scope) ? [`scope.${index}`, NOT_A_SCOPE] : ['scope', NOT_SCOPES];
    details.push({ path: at + path, message: message + meant });
  }
  return names;
}

/** The pair, from two members or one. An invalid pair is reported, and its value is meaningless. */
function readPair({ api_key: apiKey, secret_key: secretKey, credential }: Body, report: Report): KeyPair {
  if (credential === undefined) {
    if (typeof apiKey !== 'string') report('api_key', 'must be a string; or give credential instead of the pair');
    if (typeof secretKey !== 'string') report('secret_key', 'must be a string');
    return { apiKey, secretKey } as KeyPair;
  }
  if (apiKey !== undefined || secretKey !== undefined)
    report('credential', 'must not be given together with api_key and secret_key');
  if (typeof credential === 'string') return pairOfCredential(credential);
  report('credential', 'must be a string: the api_key, a dot and the secret_key');
  return { apiKey: '', secretKey: '' };
}

/** Services may pass on an address from a proxy's header, so the same spellings are read as in such headers. */
function readAddress(ip: unknown, report: Report): string | undefined {
  if (ip === undefined || (typeof ip === 'string' && isIPv4(ip))) return ip;
  const address = typeof ip === 'string' ? parseForwardedAddress(ip) : undefined;
  if (address) return formatAddress(address);
  report('ip', 'must be an IPv4 or IPv6 address');
  return undefined;
}

function isCost(cost: unknown): boolean {
  return Number.isInteger(cost) && (cost as number) >= 0 && (cost as number) <= MAX_COST;
}
