import type { Socket } from 'node:net';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Clock } from '../../clock.js';
import { fastifyOf } from '../fastify.js';
import { ClientAddress } from '../client-address.js';

/** A twentieth of the connections of a process. */
const MAX_CONNECTIONS_PER_NETWORK = 1_000;
const WARN_EVERY_MS = 60_000;

/**
 * Limits the open connections of each network, so that no client can use up those of the process: further ones are closed
 * at once. `TRUSTED_PROXIES` are exempt, since they carry the requests of many clients.
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
    // From here on, `ClientAddress` remembers the address, for the log too: a closed connection no longer has one
    const peer = { socket, headers: {} };
    if (this.clientAddress.isProxied(peer)) return;
    const network = this.clientAddress.networkOf(peer);
    const open = this.open.get(network) ?? 0;
    if (open >= MAX_CONNECTIONS_PER_NETWORK) {
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

  /** A proxy missing from `TRUSTED_PROXIES` looks like this. */
  private warn(network: string): void {
    const now = this.clock.steady();
    if (now - this.warnedAt < WARN_EVERY_MS) return;
    this.warnedAt = now;
    this.logger.warn(
      `${network} has ${MAX_CONNECTIONS_PER_NETWORK} open connections; further ones are closed. If it is a proxy, add it to TRUSTED_PROXIES`,
    );
  }
}
