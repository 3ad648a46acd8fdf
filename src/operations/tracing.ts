import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Environment } from '../config/environment.js';
import type { AnsweredRequest } from '../contract/answered-request.js';

/** Follows requests through the service, for a collector that puts them together with what others saw of them. */
export abstract class Tracing implements OnApplicationShutdown {
  /** Answers a request within a span, which goes on the trace that the request tells of (W3C Trace Context). */
  abstract readonly trace: (request: IncomingMessage, response: ServerResponse, answer: () => void) => void;

  /** The request was answered: its span is told how. */
  abstract finish(request: AnsweredRequest): void;

  abstract onApplicationShutdown(): Promise<void>;
}

/** Nothing of OpenTelemetry's is loaded unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where traces go. */
export async function createTracing({ otlpEndpoint }: Environment, ...pools: DataSource[]): Promise<Tracing | null> {
  if (!otlpEndpoint) return null;
  const { OpenTelemetry } = await import('./open-telemetry.js');
  return new OpenTelemetry(otlpEndpoint, pools);
}
