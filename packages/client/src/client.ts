import type { ParameterValues, Send } from './call.js';
import { authorizationOf, type CredentialsSource } from './credentials.js';
import { operationsBy } from './generated/operations.gen.js';
import { readAnswer } from './read-answer.js';

export interface ClientOptions {
  /** Where the service is, such as `https://keys.example.com`; the paths of the API are appended. In a page, also a path. */
  url: string;
  /** Without them, requests have no `Authorization`. */
  credentials?: CredentialsSource | undefined;
  /** Sent with every request. */
  headers?: Record<string, string> | undefined;
  /** Sends the requests instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** A function for each call of the API; each throws ApiKeysError if it is refused. */
export type ApiKeysClient = ReturnType<typeof operationsBy>;

/** Sends nothing yet. The client never retries. */
export function createClient(options: ClientOptions): ApiKeysClient {
  return operationsBy(sendTo(options));
}

function sendTo({ url, credentials, headers, fetch = globalThis.fetch }: ClientOptions): Send {
  return async (method, path, format, { body, path: segments = {}, query = {}, headers: own = {}, signal }) => {
    const target = `${url.replace(/\/+$/, '')}${fill(path, segments)}${queryOf(query)}`;
    const request: RequestInit = {
      method,
      headers: {
        ...headers,
        ...(credentials !== undefined && { Authorization: await authorizationOf(credentials) }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...Object.fromEntries(given(own)),
      },
      // To another server, credentials would go along
      redirect: 'manual',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    };
    return readAnswer(await fetch(target, request), format);
  };
}

/** `/api/apiKeys/{id}` with its `id`, encoded. */
function fill(path: string, segments: ParameterValues): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(segments[name] ?? ''));
}

function queryOf(query: ParameterValues): string {
  const parameters = new URLSearchParams(given(query)).toString();
  return parameters && `?${parameters}`;
}

function given(parameters: ParameterValues): [string, string][] {
  return Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}
