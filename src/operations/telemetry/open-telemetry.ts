import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { DataSource } from 'typeorm';
import { VERSION } from '../../config/version.js';
import { type CompletedRequest, NO_ROUTE } from '../../http/completed-request.js';
import { QuerySpans } from './query-spans.js';
import { RedactedSpans } from './redacted-spans.js';
import { requestAttributes, type RequestOrigin, spanName } from './request-attributes.js';
import { SERVICE, telemetryResource } from './telemetry-resource.js';
import { callerContext } from './trace-caller.js';
import { CallerSampler } from './trace-sampler.js';
import { Tracing } from './tracing.js';

/** The collector may be unavailable: spans are then dropped, and on shutdown even sooner. */
const EXPORT_TIMEOUT_MS = 5_000;
const FINAL_EXPORT_TIMEOUT_MS = 2_000;

/** The destination of spans. */
interface Collector {
  /** Its base URL, to which OTLP's own path is added. */
  endpoint: string;
  /** Redacts secrets in a text. */
  redact: (text: string) => string;
}

/** What is known about the sender of a request. */
interface Callers {
  /** Whether its trace headers are trusted. */
  isTrusted(request: IncomingMessage): boolean;
  originOf(request: IncomingMessage): RequestOrigin;
}

/**
 * Spans of requests and of their queries, by OpenTelemetry's semantic conventions, sent as OTLP over HTTP. They are
 * created here, since the instrumentation packages need a loader hook before every other module, let any client decide
 * what is recorded, and do not know the routes and verdicts of the fast path. The SDK reads its other variables itself
 * (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`).
 */
export class OpenTelemetry extends Tracing {
  private readonly provider: NodeTracerProvider;
  private readonly tracer: Tracer;
  private readonly spans = new WeakMap<IncomingMessage, Span>();

  constructor(
    { endpoint, redact }: Collector,
    pools: readonly DataSource[],
    private readonly callers: Callers,
  ) {
    super();
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
    this.provider = new NodeTracerProvider({
      resource: telemetryResource(),
      sampler: new CallerSampler(),
      spanProcessors: [
        new BatchSpanProcessor(new RedactedSpans(exporter, redact), { exportTimeoutMillis: EXPORT_TIMEOUT_MS }),
      ],
    });
    // Trace headers are read here (`trace-caller.ts`), depending on the caller
    this.provider.register({ propagator: null });
    this.tracer = this.provider.getTracer(SERVICE, VERSION);
    for (const pool of pools) pool.subscribers.push(new QuerySpans(this.tracer, pool));
  }

  readonly trace: Tracing['trace'] = (request, response, answer) => {
    const parent = callerContext(request, (sent) => this.callers.isTrusted(sent));
    const attributes = requestAttributes(request, this.callers.originOf(request));
    const span = this.tracer.startSpan(spanName(request.method ?? ''), { kind: SpanKind.SERVER, attributes }, parent);
    this.spans.set(request, span);
    // An aborted request has no other event
    response.once('close', () => span.end());
    context.with(trace.setSpan(parent, span), answer);
  };

  finish({ raw, id, method, route, status, verdict, keyId, error }: CompletedRequest): void {
    const span = this.spans.get(raw);
    if (!span) return;
    const known = route === NO_ROUTE ? undefined : route;
    span.updateName(spanName(method, known));
    span.setAttributes({
      ...(known !== undefined && { 'http.route': known }),
      'http.response.status_code': status,
      'w3ipfs.request_id': id,
      ...(verdict !== undefined && { 'w3ipfs.verdict': verdict }),
      ...(keyId !== undefined && { 'w3ipfs.key_id': keyId }),
      ...(error !== undefined && { 'w3ipfs.error_code': error }),
    });
    if (status < 500) return;
    // By the conventions, client errors are not errors of a server span
    span.setAttribute('error.type', error ?? String(status));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.race([this.provider.shutdown(), sleep(FINAL_EXPORT_TIMEOUT_MS, undefined, { ref: false })]);
  }
}
