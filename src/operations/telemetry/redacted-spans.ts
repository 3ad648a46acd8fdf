import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

/** Takes secrets out of spans on their way to the collector, as the logger does of lines. */
export class RedactedSpans implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly redact: (text: string) => string,
  ) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.exporter.export(
      spans.map((span) => this.redacted(span)),
      done,
    );
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  /** The same span, but for every text of it that is not one of OpenTelemetry's own. */
  private redacted(span: ReadableSpan): ReadableSpan {
    const { name, status, attributes, events, links } = span;
    const texts = {
      name: this.redact(name),
      status: { ...status, ...(status.message !== undefined && { message: this.redact(status.message) }) },
      attributes: this.attributes(attributes),
      events: events.map((event) =>
        this.derived(event, { name: this.redact(event.name), attributes: this.attributes(event.attributes) }),
      ),
      links: links.map((link) => this.derived(link, { attributes: this.attributes(link.attributes) })),
    };
    return this.derived(span, texts);
  }

  /** What the original is, but for these properties. */
  private derived<T extends object>(original: T, texts: Partial<T>): T {
    const properties = Object.entries(texts).map(([key, value]) => [key, { value, enumerable: true }] as const);
    return Object.create(original, Object.fromEntries(properties)) as T;
  }

  private attributes(attributes: Attributes = {}): Attributes {
    return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, this.value(value)]));
  }

  private value(value: AttributeValue | undefined): AttributeValue | undefined {
    if (typeof value === 'string') return this.redact(value);
    if (!Array.isArray(value)) return value;
    return value.map((one) => (typeof one === 'string' ? this.redact(one) : one)) as AttributeValue;
  }
}
