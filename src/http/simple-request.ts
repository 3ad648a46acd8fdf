import type { IncomingMessage } from 'node:http';
import { repeatsHeaders } from '@w3ipfs/api-keys-guard/decision';
import { ORDINARY_BOUNDS } from './body/body-bounds.js';

/** JSON as clients spell it, with or without its only character set (RFC 8259, 8.1). */
const JSON_TYPES = new Set<string | undefined>([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8',
  'application/json; charset=UTF-8',
  'application/json;charset=UTF-8',
]);

/**
 * Whether a request needs none of the pipeline's checks: it has a `Host`, no header is repeated, and its body, if the
 * method has one, is JSON of known length, without a content coding.
 */
export function isSimpleRequest(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (headers.host === undefined || headers['transfer-encoding'] !== undefined || headers.expect !== undefined)
    return false;
  if (repeatsHeaders(request)) return false;
  const length = headers['content-length'];
  if (method === 'GET') return length === undefined;
  const isReadable = JSON_TYPES.has(headers['content-type']) && headers['content-encoding'] === undefined;
  return isReadable && length !== undefined && length !== '0' && Number(length) <= ORDINARY_BOUNDS.bytes;
}
