import { ApiKeysError } from './api-keys-error.js';
import type { Answer, Format } from './call.js';
import type { Failure } from './generated/types.gen.js';

/** @throws ApiKeysError unless it is a success, in the format */
export async function readAnswer<TBody>(response: Response, format: Format): Promise<Answer<TBody>> {
  const { headers } = response;
  const text = await response.text();
  if (response.ok && format !== 'json') {
    return { data: (format === 'text' ? text : undefined) as Answer<TBody>['data'], headers };
  }
  const body = parse(text);
  if (response.ok && isRecord(body) && 'status' in body) {
    return { data: ('data' in body ? body['data'] : body) as Answer<TBody>['data'], headers };
  }
  throw new ApiKeysError(response, isFailure(body) ? body.error : unexpected(response));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFailure(body: unknown): body is Failure {
  return isRecord(body) && isRecord(body['error']) && typeof body['error']['code'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function unexpected({ status, type, url }: Response) {
  const isRedirect = type === 'opaqueredirect' || (status >= 300 && status < 400);
  const answer = isRedirect ? 'a redirect, which is not followed' : `${status}, not in the form of this API`;
  return { code: 'unexpected_answer' as const, message: `The answer${url && ` of ${url}`} is ${answer}` };
}
