import type { Socket } from 'node:net';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../../clock.js';
import { fastifyOf } from '../fastify.js';
import { ClientAddress } from '../client-address.js';

/** Of one network: a twentieth of what a process takes in all. */
const SHARE = 1_000;
const WARN_EVERY_MS = 60_000;

/**
 * Bounds how many connections one network has open, so that nobody takes all of a process's: further ones are ended
 * at once. Those of `TRUSTED_PROXIES` are not counted, which bring many clients' requests.
 */
@Injectable()
export class ConnectionLimit implements OnModuleInit {
  private readonly logger = new Logger('Connections');
  private readonly open = new Map<string, number>();
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly clientAddress: ClientAddress,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    fastifyOf(this.adapterHost)?.server.on('connection', (socket: Socket) => this.accept(socket));
  }

  private accept(socket: Socket): void {
    // Remembered by `ClientAddress` from here on, for the log too: a connection that has ended has no address any more
    const peer = { socket, headers: {} };
    if (this.clientAddress.isProxied(peer)) return;
    const network = this.clientAddress.networkOf(peer);
    const open = this.open.get(network) ?? 0;
    if (open >= SHARE) {
      socket.destroy();
      this.warn(network);
      return;
    }
    this.open.set(network, open + 1);
    socket.once('close', () => this.release(network));
  }

  private release(network: string): void {
    const left = (this.open.get(network) ?? 1) - 1;
    if (left === 0) this.open.delete(network);
    else this.open.set(network, left);
  }

  /** A proxy that is not listed as one looks like this. */
  private warn(network: string): void {
    const now = this.clock.steady();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = now;
    this.logger.warn(
      `${network} has ${SHARE} connections open, and further ones are ended: if it is a proxy, TRUSTED_PROXIES must name it`,
    );
  }
}
