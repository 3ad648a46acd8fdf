import { isIP } from 'node:net';
import { InvalidNetworkError, type Network, parseNetwork } from '@w3ipfs/api-keys-guard/decision';
import { InvalidValueError } from './invalid-value.js';

/** An address or a host name; IPv6 without the brackets of URLs. */
export function readHost(text: string): string {
  const host = text.replace(/^\[(.+)\]$/, '$1');
  if (isIP(host) !== 0 || /^(?!\d+$)[\w-]+(\.[\w-]+)*$/.test(host)) return host;
  throw new InvalidValueError(
    'must be an address or a host name to listen on, without a port, such as 127.0.0.1, ::1 or 0.0.0.0 (all)',
  );
}

/** 32 bytes in base64. */
export function readCredentialKey(text: string): Buffer {
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return Buffer.from(text, 'base64');
  throw new InvalidValueError(
    'must be 32 bytes each in base64, comma-separated (generate one with: openssl rand -base64 32)',
  );
}

/** `name:token`. */
export function readServiceToken(text: string): { name: string; token: string } {
  const [name = '', ...rest] = text.split(':');
  const token = rest.join(':');
  if (/^[\w.-]{1,100}$/.test(name) && /^[\x21-\x7e]{32,}$/.test(token)) return { name, token };
  throw new InvalidValueError(
    'must be name:token, comma-separated, each token of at least 32 printable ASCII characters',
  );
}

/** A network in CIDR notation. */
export function readNetwork(text: string): Network {
  try {
    return parseNetwork(text);
  } catch (error) {
    throw error instanceof InvalidNetworkError ? new InvalidValueError(error.message) : error;
  }
}
