import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Environment } from '../../config/environment.js';
import type { CompletedRequest } from '../../http/completed-request.js';
import type { ClientAddress } from '../../http/client-address.js';
import type { ServiceTokens } from '../../principals/service-tokens.js';
import { redactor } from '../../logging/redaction.js';

/** Follows requests through the service, for a collector that puts them together with what others saw of them. */
export abstract class Tracing implements OnApplicationShutdown {
  /** Answers a request within a span, which goes on the trace that the request tells of (W3C Trace Context). */
  abstract readonly trace: (request: IncomingMessage, response: ServerResponse, answer: () => void) => void;

  /** The request was answered: its span is told how. */
  abstract finish(request: CompletedRequest): void;

  abstract onApplicationShutdown(): Promise<void>;
}

/**
 * Nothing of OpenTelemetry's is loaded unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where traces go. What is said there of
 * the traces that requests belong to is believed of `TRUSTED_PROXIES` and of the platform's services.
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
