import type { IncomingMessage } from 'node:http';
import { repeatsHeaders } from './header-values.js';
import { BODY_LIMIT } from './body/json-body.js';

/** As clients write it, with the character set that it has anyway (RFC 8259, 8.1). */
const PLAIN_TYPES = new Set<string | undefined>([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8',
  'application/json; charset=UTF-8',
  'application/json;charset=UTF-8',
]);

/**
 * Whether a request is so ordinary that nothing has to be found out about it: its host is named, no header is there
 * twice, and its body, where its method has one, is JSON of known length, not encoded.
 */
export function isSimpleRequest(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (headers.host === undefined || headers['transfer-encoding'] !== undefined || headers.expect !== undefined)
    return false;
  if (repeatsHeaders(request)) return false;
  const length = headers['content-length'];
  if (method === 'GET') return length === undefined;
  const isReadable = PLAIN_TYPES.has(headers['content-type']) && headers['content-encoding'] === undefined;
  return isReadable && length !== undefined && length !== '0' && Number(length) <= BODY_LIMIT;
}
