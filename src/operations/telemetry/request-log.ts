import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import type { CompletedRequest } from '../../http/completed-request.js';
import { ClientAddress } from '../../http/client-address.js';

/** What the platform asks on every request of its own, and whoever watches the process every second. */
const FREQUENT_ROUTES = /^\/(?:api\/apiKeys\/(?:verify|authorize)|health|metrics)/;

/**
 * A line for each request. Those that are made all the time are logged where `LOG_LEVEL` is `debug` alone: a line
 * costs more than a verdict, and the metrics and the usage of each key count them anyway.
 */
@Injectable()
export class RequestLog {
  private readonly logger = new Logger('Request');
  private readonly isLogged: (route: string) => boolean;

  constructor(
    @Inject(ENVIRONMENT) { logLevel }: Environment,
    private readonly clientAddress: ClientAddress,
  ) {
    const levels: Record<Environment['logLevel'], RequestLog['isLogged']> = {
      error: () => false,
      warn: () => false,
      info: (route) => !FREQUENT_ROUTES.test(route),
      debug: () => true,
    };
    this.isLogged = levels[logLevel];
  }

  record({ raw, id, method, route, status, seconds, principal, verdict, keyId, error }: CompletedRequest): void {
    if (!this.isLogged(route)) return;
    const known = {
      client_address: this.clientAddress.of(raw),
      principal,
      verdict,
      key_id: keyId,
      error,
      duration_ms: milliseconds(seconds),
    };
    const fields = Object.entries(known).filter(([, value]) => value !== undefined);
    this.logger.log(`${method} ${route} ${status}`, {
      request_id: id,
      method,
      route,
      status,
      ...Object.fromEntries(fields),
    });
  }
}

/** To a thousandth. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e3;
}
