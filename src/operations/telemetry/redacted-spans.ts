import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';

/** Redacts secrets in spans before their export, as the logger does in lines. */
export class RedactedSpans implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly redact: (text: string) => string,
  ) {}

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.exporter.export(
      spans.map((span) => this.redactSpan(span)),
      done,
    );
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  /** The span with every text redacted that OpenTelemetry does not define itself. */
  private redactSpan(span: ReadableSpan): ReadableSpan {
    const { name, status, attributes, events, links } = span;
    const texts = {
      name: this.redact(name),
      status: { ...status, ...(status.message !== undefined && { message: this.redact(status.message) }) },
      attributes: this.redactAttributes(attributes),
      events: events.map((event) =>
        this.withTexts(event, { name: this.redact(event.name), attributes: this.redactAttributes(event.attributes) }),
      ),
      links: links.map((link) => this.withTexts(link, { attributes: this.redactAttributes(link.attributes) })),
    };
    return this.withTexts(span, texts);
  }

  /** The original with these properties replaced. */
  private withTexts<T extends object>(original: T, texts: Partial<T>): T {
    const properties = Object.entries(texts).map(([key, value]) => [key, { value, enumerable: true }] as const);
    return Object.create(original, Object.fromEntries(properties)) as T;
  }

  private redactAttributes(attributes: Attributes = {}): Attributes {
    return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, this.redactValue(value)]));
  }

  private redactValue(value: AttributeValue | undefined): AttributeValue | undefined {
    if (typeof value === 'string') return this.redact(value);
    if (!Array.isArray(value)) return value;
    return value.map((element) => (typeof element === 'string' ? this.redact(element) : element)) as AttributeValue;
  }
}
