import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { RedactedSpans } from './redacted-spans.js';
import { redactor } from '../../logging/redaction.js';

const SECRET = `w3s_${'a'.repeat(40)}`;

/** The exported form of a span with a secret in every text. */
async function exported(): Promise<ReadableSpan | undefined> {
  const exporter = new InMemorySpanExporter();
  const spans = new RedactedSpans(exporter, redactor([]));
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const span = provider.getTracer('test').startSpan(`GET ${SECRET}`, {
    kind: SpanKind.SERVER,
    attributes: { text: `a ${SECRET}`, texts: [SECRET, 'b'], number: 7, flag: true },
    links: [{ context: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 }, attributes: { SECRET } }],
  });
  span.addEvent(`failed with ${SECRET}`, { 'exception.message': SECRET });
  span.setStatus({ code: SpanStatusCode.ERROR, message: `because of ${SECRET}` });
  span.end();
  await spans.forceFlush();
  return exporter.getFinishedSpans()[0];
}

it('redacts secrets in every text of a span', async () => {
  const span = await exported();
  const { name, attributes, events, links, status } = span as ReadableSpan;
  expect(name).toBe('GET w3s_[redacted]');
  expect(attributes).toEqual({ text: 'a w3s_[redacted]', texts: ['w3s_[redacted]', 'b'], number: 7, flag: true });
  expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'because of w3s_[redacted]' });
  expect(JSON.stringify([name, attributes, events, links, status])).not.toContain('aaaa');
});

it('keeps everything else of a span', async () => {
  const span = (await exported()) as ReadableSpan;
  expect(span.kind).toBe(SpanKind.SERVER);
  expect(span.spanContext().traceId).toMatch(/^[\da-f]{32}$/);
  expect(span.ended).toBe(true);
  expect(span.events).toMatchObject([{ name: 'failed with w3s_[redacted]' }]);
});
