import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ClientAddress } from '../limits/client-address.js';
import { parseAddress } from '../limits/ip-address.js';
import { type BodyCallback, BodyReceiver } from './body-receiver.js';
import { UnfinishedBodies } from './unfinished-bodies.js';

const MIB = 1_048_576;

/** Receives the bodies of all requests, and bounds what those that have not ended hold. */
@Injectable()
export class RequestBodies {
  readonly unfinished = {
    /** Of whoever has not been told to be a service: 32 bodies of the largest size from each network. */
    clients: new UnfinishedBodies(32 * MIB, 2 * MIB),
    /** Of the platform's services, known by their tokens, whom no stranger can take room from. */
    services: new UnfinishedBodies(32 * MIB),
  };

  constructor(private readonly clientAddress: ClientAddress) {}

  /** @param from whose room it counts against as long as it has not ended */
  receive(request: IncomingMessage, from: 'clients' | 'services', done: BodyCallback): void {
    new BodyReceiver(request, this.unfinished[from], this.networkOf, done).receive();
  }

  /** An IPv6 client has a whole /64 to itself (RFC 6177). */
  private readonly networkOf = (request: IncomingMessage): string => {
    const text = this.clientAddress.of(request) ?? 'unknown';
    const address = parseAddress(text);
    return address?.family === 6 ? address.words.slice(0, 2).join(':') : text;
  };
}
