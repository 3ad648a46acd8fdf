import { isIP } from 'node:net';
import { type KeyPair, pairOfCredential } from '../api-keys/credentials.js';
import { isScope, SCOPES } from '../api-keys/scopes.js';
import { type ErrorDetail, MissingBodyError, ValidationError } from '../contract/api-error.js';
import { probablyMeant, unknownMember } from '../contract/unknown-member.js';
import type { VerifyRequest } from './verifier.js';

const MOST_REQUESTS = 100;
const LARGEST_COST = 1_000_000;
const PROPERTIES = ['api_key', 'secret_key', 'credential', 'scope', 'ip', 'cost'];
const KNOWN = new Set(PROPERTIES);
const NO_SCOPE = 'must be the name of a scope, like pinning.unpin, or a list of such names';

type Body = Record<string, unknown>;
type Refuse = (name: string, message: string) => void;

/**
 * Reads the body of `POST /api/apiKeys/verify`. It is what every call of a service passes through, so it
 * is plain code; the DTO of the same shape describes it in the OpenAPI document.
 *
 * @throws ValidationError naming every offence by its path
 */
export function readVerifyRequest(body: unknown): VerifyRequest {
  const details: ErrorDetail[] = [];
  const request = read(body ?? {}, '', details);
  refuseOffences(body, details);
  return request;
}

/** Reads the body of `POST /api/apiKeys/verify/batch`: `{"requests": [1 to 100 of them]}`. */
export function readVerifyBatch(body: unknown): VerifyRequest[] {
  const { requests, ...unknown } = (body ?? {}) as Body;
  const details = Object.keys(unknown).map((name, index) => unknownMember(name, ['requests'], { rank: index }));
  const isBatch = Array.isArray(requests) && requests.length >= 1 && requests.length <= MOST_REQUESTS;
  if (!isBatch) details.push({ path: 'requests', message: `must be a list of 1 to ${MOST_REQUESTS} requests` });
  const batch = isBatch ? requests.map((one, index) => readElement(one, `requests.${index}`, details)) : [];
  refuseOffences(body, details);
  return batch as VerifyRequest[];
}

/** @throws ValidationError if there are offences */
function refuseOffences(body: unknown, details: ErrorDetail[]): void {
  if (details.length > 0) throw body === undefined ? new MissingBodyError(details) : new ValidationError(details);
}

/** For how many requests the body of a batch counts, before it is known whether it fits. */
export function weightOfBatch(body: unknown): number {
  const requests = (body as Body | null | undefined)?.['requests'];
  return Array.isArray(requests) ? Math.min(Math.max(requests.length, 1), MOST_REQUESTS) : 1;
}

function readElement(value: unknown, path: string, details: ErrorDetail[]): VerifyRequest | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return read(value, `${path}.`, details);
  details.push({ path, message: 'must be an object with api_key and secret_key, or credential' });
  return undefined;
}

function read(value: unknown, at: string, details: ErrorDetail[]): VerifyRequest {
  const body = value as Body;
  const refuse: Refuse = (name, message) => details.push({ path: at + name, message });
  for (const name in body) {
    if (!KNOWN.has(name)) details.push(unknownMember(name, PROPERTIES, { parent: at, rank: details.length }));
  }
  const pair = readPair(body, refuse);
  const { scope, ip, cost = 1 } = body;
  if (!isAddress(ip)) refuse('ip', 'must be an IPv4 or IPv6 address');
  if (!isCost(cost)) refuse('cost', `must be a whole number from 0 to ${LARGEST_COST}`);
  const needed = scope === undefined ? [] : Array.isArray(scope) ? (scope as unknown[]) : [scope];
  if (scope !== undefined && needed.length === 0) refuse('scope', 'must name at least one scope');
  const wrong = needed.findIndex((name) => !isScope(name));
  if (wrong >= 0) refuse('scope', NO_SCOPE + probablyMeant(needed[wrong], SCOPES));
  return { pair, need: { scopes: needed, ip, cost } } as VerifyRequest;
}

/** The pair, in two members or in one; what is not right about it is refused, and then it means nothing. */
function readPair({ api_key: apiKey, secret_key: secretKey, credential }: Body, refuse: Refuse): KeyPair {
  if (credential === undefined) {
    if (typeof apiKey !== 'string') refuse('api_key', 'must be a string; or give credential in place of the pair');
    if (typeof secretKey !== 'string') refuse('secret_key', 'must be a string');
    return { apiKey, secretKey } as KeyPair;
  }
  if (apiKey !== undefined || secretKey !== undefined) refuse('credential', 'does not go with api_key and secret_key');
  if (typeof credential === 'string') return pairOfCredential(credential);
  refuse('credential', 'must be a string: the api_key, a dot and the secret_key');
  return { apiKey: '', secretKey: '' };
}

function isAddress(ip: unknown): boolean {
  return ip === undefined || (typeof ip === 'string' && isIP(ip) !== 0);
}

function isCost(cost: unknown): boolean {
  return Number.isInteger(cost) && (cost as number) >= 0 && (cost as number) <= LARGEST_COST;
}
