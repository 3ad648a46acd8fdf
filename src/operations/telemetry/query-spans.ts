import { type Attributes, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import type { AfterQueryEvent, DataSource, EntitySubscriberInterface } from 'typeorm';

const DEFAULT_PORT = 5_432;

/**
 * Creates a span for each query of a request, by OpenTelemetry's conventions for databases. The query's text contains no
 * values, since these are parameters.
 */
export class QuerySpans implements EntitySubscriberInterface {
  private readonly server: Attributes;

  constructor(
    private readonly tracer: Tracer,
    pool: Pick<DataSource, 'driver'>,
  ) {
    this.server = serverOf(pool);
  }

  afterQuery({ query, executionTime = 0, success, error }: AfterQueryEvent): void {
    if (!trace.getActiveSpan()) return;
    const { operation, summary } = describeStatement(query);
    const endTime = Date.now();
    const span = this.tracer.startSpan(summary, {
      kind: SpanKind.CLIENT,
      startTime: endTime - executionTime,
      attributes: {
        ...this.server,
        'db.operation.name': operation,
        'db.query.summary': summary,
        'db.query.text': query,
      },
    });
    if (!success) {
      const { code, name = '_OTHER' } = (error ?? {}) as { code?: string; name?: string };
      span.setAttribute('error.type', code ?? name);
      if (code !== undefined) span.setAttribute('db.response.status_code', code);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(endTime);
  }
}

/** The operation of a statement and its first table: `UPDATE api_keys`, also after a `WITH`. */
export function describeStatement(query: string): { operation: string; summary: string } {
  const [, operation = 'QUERY'] = /^\W*(\w+)/.exec(isWith(query) ? topLevel(query) : query) ?? [];
  const verb = operation.toUpperCase();
  const [, table] = /\b(?:FROM|INTO|UPDATE)\s+(?:ONLY\s+)?"?(\w+)"?/i.exec(topLevel(query)) ?? [];
  return { operation: verb, summary: table === undefined ? verb : `${verb} ${table}` };
}

function isWith(query: string): boolean {
  return /^\s*WITH\b/i.test(query);
}

/** A statement with `?` for the content of parentheses, and without the parts of a `WITH`. */
function topLevel(query: string): string {
  let rest = query.replaceAll(/'(?:''|[^'])*'/g, "''");
  for (let before = ''; before !== rest;) {
    before = rest;
    rest = rest.replaceAll(/\([^()]*\)/g, ' ? ');
  }
  return rest.replace(
    /^\s*WITH\s+(?:RECURSIVE\s+)?(?:"?\w+"?\s+(?:\?\s+)?AS\s+(?:(?:NOT\s+)?MATERIALIZED\s+)?\?\s*,?\s*)*/i,
    '',
  );
}

/** The attributes of a pool's server, as set by `createDataSource()`. */
export function serverOf({ driver }: Pick<DataSource, 'driver'>): Attributes {
  const { database, extra = {} } = driver.options as { database?: string; extra?: { host?: string; port?: number } };
  return {
    'db.system.name': 'postgresql',
    ...(database !== undefined && { 'db.namespace': database }),
    ...(extra.host !== undefined && { 'server.address': extra.host, 'server.port': extra.port ?? DEFAULT_PORT }),
  };
}
