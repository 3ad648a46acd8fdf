import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { parseAddress, writeAddress } from './ip-address.js';

/** Of a request, what its client's address is read from. */
type Addressed = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } };

/** Tells where a request comes from. */
@Injectable()
export class ClientAddress {
  constructor(@Inject(ENVIRONMENT) private readonly environment: Environment) {}

  /**
   * The peer's address or, as far as the peers are `TRUSTED_PROXIES`, the one before them in `X-Forwarded-For`:
   * what anyone else has written there changes nothing. `undefined` where a trusted proxy names no address.
   */
  of({ socket, headers }: Addressed): string | undefined {
    const hops = String(headers['x-forwarded-for'] ?? '').split(',');
    let address = socket.remoteAddress;
    while (address !== undefined && hops.length > 0 && this.environment.trustedProxies.includes(address)) {
      const hop = hops.pop()?.trim() ?? '';
      if (hop !== '') address = hop;
    }
    const parsed = address === undefined ? undefined : parseAddress(address);
    return parsed && writeAddress(parsed);
  }
}
