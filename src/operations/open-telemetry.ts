import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { AfterQueryEvent, DataSource, EntitySubscriberInterface } from 'typeorm';
import type { AnsweredRequest } from '../contract/answered-request.js';
import { RedactedSpans } from './redacted-spans.js';
import { callerContext } from './trace-caller.js';
import { CallerSampler } from './trace-sampler.js';
import { Tracing } from './tracing.js';

const SERVICE = 'w3ipfs-api-keys';
/** The collector may be away: spans are dropped rather than waited for, and at the end sooner still. */
const EXPORT_WITHIN_MS = 5_000;
const LAST_EXPORT_WITHIN_MS = 2_000;

/** Where spans are sent. */
interface Collector {
  /** Its base URL, to which OTLP's own path is added. */
  endpoint: string;
  /** Takes secrets out of a text. */
  redact: (text: string) => string;
}

/**
 * Spans of requests and of their queries, by OpenTelemetry's semantic conventions, sent as OTLP over HTTP. What else
 * OpenTelemetry's variables say (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`) it reads itself.
 */
export class OpenTelemetry extends Tracing {
  private readonly provider: NodeTracerProvider;
  private readonly tracer: Tracer;
  private readonly spans = new WeakMap<IncomingMessage, Span>();

  constructor(
    { endpoint, redact }: Collector,
    pools: readonly DataSource[],
    private readonly isTrusted: (request: IncomingMessage) => boolean,
  ) {
    super();
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_WITHIN_MS });
    this.provider = new NodeTracerProvider({
      resource: resourceFromAttributes({ 'service.name': process.env['OTEL_SERVICE_NAME'] || SERVICE }),
      sampler: new CallerSampler(),
      spanProcessors: [
        new BatchSpanProcessor(new RedactedSpans(exporter, redact), { exportTimeoutMillis: EXPORT_WITHIN_MS }),
      ],
    });
    // What callers send is read here (`trace-caller.ts`), by whom they are
    this.provider.register({ propagator: null });
    this.tracer = this.provider.getTracer(SERVICE);
    for (const { subscribers } of pools) subscribers.push(new QuerySpans(this.tracer));
  }

  readonly trace: Tracing['trace'] = (request, response, answer) => {
    const parent = callerContext(request, this.isTrusted);
    const span = this.tracer.startSpan(request.method ?? 'HTTP', { kind: SpanKind.SERVER }, parent);
    this.spans.set(request, span);
    // Of a request that nobody waits for any more, nothing else tells
    response.once('close', () => span.end());
    context.with(trace.setSpan(parent, span), answer);
  };

  finish({ raw, id, method, route, status, verdict, error }: AnsweredRequest): void {
    const span = this.spans.get(raw);
    if (!span) return;
    span.updateName(`${method} ${route}`);
    span.setAttributes({
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'w3ipfs.request_id': id,
      ...(verdict !== undefined && { 'w3ipfs.verdict': verdict }),
      ...(error !== undefined && { 'error.type': error }),
    });
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.race([this.provider.shutdown(), sleep(LAST_EXPORT_WITHIN_MS, undefined, { ref: false })]);
  }
}

/** A span for each query of a request: its text, which has no values in it. */
class QuerySpans implements EntitySubscriberInterface {
  constructor(private readonly tracer: Tracer) {}

  afterQuery({ query, executionTime = 0, success }: AfterQueryEvent): void {
    if (!trace.getActiveSpan()) return;
    const operation = /\w+/.exec(query)?.[0] ?? 'query';
    const endTime = Date.now();
    const span = this.tracer.startSpan(operation, {
      kind: SpanKind.CLIENT,
      startTime: endTime - executionTime,
      attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.query.text': query },
    });
    if (!success) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(endTime);
  }
}
