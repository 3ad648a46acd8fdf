import type { Guard } from '@w3ipfs/api-keys-guard';
import { COMMON_HEADERS } from '@w3ipfs/api-keys-guard/http';
import { type ErrorDetail, UnavailableError } from '../http/errors/api-error.js';
import type { FullResponse } from '../http/write-response.js';
import type { RawResponse, SidecarRequest } from './answer.js';

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const HEALTHY: FullResponse = { body: '{"status":"ok"}' };

export function live(): FullResponse {
  return HEALTHY;
}

/**
 * Ready once the service has answered. It stays so while the service is away: another sidecar would know no more.
 *
 * @throws UnavailableError
 */
export function ready(guard: Guard): FullResponse {
  const problem = problemOf(guard);
  if (!problem) return HEALTHY;
  throw new UnavailableError(`Not ready: ${problem.path}. See details.`, { details: [problem] });
}

export function metrics(guard: Guard, { id }: SidecarRequest): RawResponse {
  const body = guard.metrics();
  const headers = { ...COMMON_HEADERS, 'X-Request-Id': id, 'Content-Length': String(Buffer.byteLength(body)) };
  return { status: 200, rawHeaders: Object.entries({ ...headers, 'Content-Type': OPEN_METRICS }).flat(), body };
}

function problemOf(guard: Guard): ErrorDetail | undefined {
  const { state, ageMs } = guard.stats();
  if (state === 'refused') return { path: 'GUARD_TOKEN', message: 'is refused by the API-key service' };
  return ageMs < Infinity ? undefined : { path: 'GUARD_URL', message: 'the API-key service has not answered yet' };
}
