import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ClientAddress } from '../client-address.js';
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
    new BodyReceiver(request, this.unfinished[from], (one) => this.clientAddress.networkOf(one), done).receive();
  }
}
