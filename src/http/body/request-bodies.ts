import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ClientAddress } from '../client-address.js';
import type { BodyBounds } from './body-bounds.js';
import { type BodyCallback, BodyReceiver } from './body-receiver.js';
import { UnfinishedBodies } from './unfinished-bodies.js';

const MIB = 1_048_576;

/** Receives the bodies of all requests, and bounds the memory of unfinished ones. */
@Injectable()
export class RequestBodies {
  readonly unfinished = {
    /** From senders that are not known services: up to 32 bodies of the ordinary maximum size from each network. */
    clients: new UnfinishedBodies(32 * MIB, 2 * MIB),
    /** From the platform's services, authenticated by their tokens: other senders cannot use up their memory. */
    services: new UnfinishedBodies(32 * MIB),
  };

  constructor(private readonly clientAddress: ClientAddress) {}

  /** @param from the budget that the body counts against until it is complete */
  receive(request: IncomingMessage, from: 'clients' | 'services', done: BodyCallback, bounds?: BodyBounds): void {
    const senderOf = (sender: IncomingMessage) => this.clientAddress.networkOf(sender);
    new BodyReceiver(request, this.unfinished[from], senderOf, done, bounds).receive();
  }
}
