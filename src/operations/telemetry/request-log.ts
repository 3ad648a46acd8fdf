import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import type { CompletedRequest } from '../../http/completed-request.js';
import { ClientAddress } from '../../http/client-address.js';

/** Routes called by the platform on each of its own requests, by guards and by monitoring every second. */
const FREQUENT_ROUTES = /^\/(?:api\/apiKeys\/(?:verify|authorize|changes|reports)|health|metrics)/;

/**
 * Logs a line for each request. Frequent routes are logged at `LOG_LEVEL=debug` only: a line costs more than a verdict,
 * and the metrics and each key's usage count them anyway.
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

  record({ raw, id, method, route, status, seconds, caller, verdict, keyId, error }: CompletedRequest): void {
    if (!this.isLogged(route)) return;
    const known = {
      client_address: this.clientAddress.of(raw),
      principal: caller,
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

/** Rounded to microseconds. */
function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e3;
}
