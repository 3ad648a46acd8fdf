import type { Server } from 'node:http';
import { createGuard, type Guard } from '@w3ipfs/api-keys-guard';
import { RouteTable } from '../gateway/route-table.js';
import { answerUnreadableHttp, createHttpServer } from '../http/http-server.js';
import { answerInTurn } from '../http/load/pipelined-requests.js';
import { addLayer, normalizeTarget } from '../http/request-listener.js';
import { stopServing } from '../http/stop-serving.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { GatewayAnswers } from './authorize.js';
import { clientOf } from './client-of.js';
import { listen } from './listen.js';
import type { SidecarLog } from './log.js';
import { RequestHandler } from './request-handler.js';
import { SidecarRoutes } from './routes.js';
import { ServiceBodies } from './service-bodies.js';
import { SessionRelay } from './session-relay.js';
import type { SidecarSettings } from './settings.js';
import { Verification } from './verify.js';

/** The guard behind HTTP, for programs on the same machine. */
export class Sidecar {
  private readonly guard: Guard;
  private readonly sessions: SessionRelay;
  private readonly handler: RequestHandler;
  private readonly server: Server;

  /** Begins to ask the service for changes. */
  constructor(
    private readonly settings: SidecarSettings,
    log: SidecarLog,
  ) {
    const { service, token, listen: address, trustedProxies, routes, staleIfErrorSeconds, cacheKeys } = settings;
    const { url } = service;
    const guard = createGuard({ url, token, staleIfErrorSeconds, cacheKeys, onState: log.stateChanged });
    this.guard = guard;
    this.sessions = new SessionRelay(service);
    const verification = new Verification(guard, new ServiceTokens(settings), new ServiceBodies());
    const client = clientOf(trustedProxies, 'path' in address);
    const gateways = new GatewayAnswers(guard, client, new RouteTable(routes), this.sessions);
    this.handler = new RequestHandler(new SidecarRoutes(guard, verification, gateways), log);
    this.server = createHttpServer((request, response) => this.handler.handle(this.server, request, response));
    addLayer(this.server, normalizeTarget);
    addLayer(this.server, answerInTurn());
    this.server.on('clientError', answerUnreadableHttp);
  }

  /** @returns the address. @throws StartError */
  listen(): Promise<string> {
    return listen(this.server, this.settings.listen);
  }

  /**
   * Stops listening, answers what is in flight, and sends the last reports: within six seconds.
   *
   * @returns how many requests were cut off
   */
  async stop(): Promise<number> {
    const cutOff = await stopServing(this.server, () => this.handler.inFlight);
    await this.guard.close();
    this.sessions.close();
    return cutOff;
  }
}
