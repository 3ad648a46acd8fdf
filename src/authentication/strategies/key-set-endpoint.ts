import { percentDecoded } from '../../http/percent-encoding.js';
import { KeySet } from './key-set.js';

const FETCH_TIMEOUT_MS = 3_000;
/** A set of ten keys with certificates has about 40 KB. */
const MAX_BYTES = 262_144;
const DEFAULT_PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' };

/** A key set could not be fetched; the message names the endpoint and the reason, and no secret. */
export class KeySetError extends Error {
  constructor(
    endpoint: string,
    readonly reason: string,
  ) {
    super(`The key set at ${endpoint} cannot be fetched: ${reason}`);
  }
}

/**
 * The URL of a key set. Its credentials are sent as Basic (RFC 7617); neither they nor the path, which may contain a secret
 * too, can be logged.
 */
export class KeySetEndpoint {
  /** The host and port. */
  readonly name: string;
  readonly #url: URL;
  readonly #headers: Record<string, string>;

  constructor(url: string) {
    this.#url = new URL(url);
    const { username, password, hostname, port, protocol } = this.#url;
    this.name = `${hostname}:${port || DEFAULT_PORTS[protocol]}`;
    this.#headers = { Accept: 'application/jwk-set+json, application/json' };
    if (username || password) this.#headers['Authorization'] = basic(username, password);
    this.#url.username = '';
    this.#url.password = '';
  }

  /** @throws KeySetError */
  async fetch(): Promise<KeySet> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    try {
      // Following a redirect would send the credentials to another server
      const response = await fetch(this.#url, { headers: this.#headers, redirect: 'manual', signal });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw this.error(`the response has status ${response.status}`);
      }
      return this.parse(await this.textOf(response));
    } catch (error) {
      throw error instanceof KeySetError ? error : this.error(reasonOf(error));
    }
  }

  private async textOf({ body }: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) throw this.error(`it is larger than ${MAX_BYTES / 1_024} KiB`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  private parse(text: string): KeySet {
    try {
      return new KeySet(JSON.parse(text));
    } catch {
      throw this.error('the response is not a JSON Web Key Set');
    }
  }

  private error(reason: string): KeySetError {
    return new KeySetError(this.name, reason);
  }
}

function basic(username: string, password: string): string {
  const pair = [username, password].map(percentDecoded).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** By its code: the message of a library's error may contain anything that was sent. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as Error;
  if (name === 'TimeoutError') return `no response within ${FETCH_TIMEOUT_MS / 1_000} s`;
  const code = codeOf(cause) ?? codeOf(error);
  return code === undefined ? `the request failed (${name})` : `the connection failed (${code})`;
}

/** If several addresses were tried, the code of the first. */
function codeOf(error: unknown): string | undefined {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown[] };
  return typeof code === 'string' ? code : errors?.map(codeOf).find((one) => one !== undefined);
}
