import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Environment } from '../../config/environment.js';
import type { CompletedRequest } from '../../http/completed-request.js';
import type { ClientAddress } from '../../http/client-address.js';
import type { ServiceTokens } from '../../principals/service-tokens.js';
import { redactor } from '../../logging/redaction.js';

/** Traces requests through the service for a collector of distributed traces. */
export abstract class Tracing implements OnApplicationShutdown {
  /** Answers a request within a span, which continues the trace of the request (W3C Trace Context). */
  abstract readonly trace: (request: IncomingMessage, response: ServerResponse, answer: () => void) => void;

  /** Completes the span with the outcome of the request. */
  abstract finish(request: CompletedRequest): void;

  abstract onApplicationShutdown(): Promise<void>;
}

/**
 * Creates the tracing if `OTEL_EXPORTER_OTLP_ENDPOINT` is set; otherwise OpenTelemetry is not even loaded. Trace headers
 * are trusted from `TRUSTED_PROXIES` and from the platform's services.
 */
export async function createTracing(
  { otlpEndpoint, serviceTokens }: Environment,
  clientAddress: ClientAddress,
  services: ServiceTokens,
  ...pools: DataSource[]
): Promise<Tracing | null> {
  if (!otlpEndpoint) return null;
  const collector = { endpoint: otlpEndpoint, redact: redactor(serviceTokens.map(({ token }) => token)) };
  const callers = {
    isTrusted: (request: IncomingMessage) => clientAddress.isProxied(request) || services.isKnown(request),
    originOf: (request: IncomingMessage) => ({
      address: clientAddress.of(request),
      isProxied: clientAddress.isProxied(request),
    }),
  };
  const { OpenTelemetry } = await import('./open-telemetry.js');
  return new OpenTelemetry(collector, pools, callers);
}
