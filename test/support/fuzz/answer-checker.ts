import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Answer } from '../client.js';
import { type DocumentedAnswer, type Operation, operationAt, type Schema } from './operations.js';
import type { FuzzRequest } from './requests.js';

/**
 * Answers given before the route is known, or for no route at all. The document
 * lists them once, in its description, and not for every operation.
 */
const BEFORE_ANY_ROUTE = new Set(['400 validation_failed', '431 payload_too_large']);
const NO_ROUTE = new Set([
  '400 validation_failed',
  '400 malformed_json',
  '404 route_not_found',
  '405 method_not_allowed',
  '413 payload_too_large',
  '415 unsupported_media_type',
  '431 payload_too_large',
]);

/** Balancers and scrapers add query parameters of their own to health and metrics. */
const TAKES_ANY_QUERY = new Set(['isLive', 'isReady', 'readMetrics']);

/** Checks answers against the document: the status, the content type, the body and the headers. */
export class AnswerChecker {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<Schema, ValidateFunction>();

  constructor(
    private readonly operations: Operation[],
    private readonly failure: Schema,
  ) {
    formats.default(this.ajv);
  }

  /** @returns the problems of the answer */
  problemsOf(request: FuzzRequest, answer: Answer): string[] {
    const operation = operationAt(this.operations, request.method, request.path);
    // A busy process may report that it is not ready
    const isDenial = operation?.id === 'isReady' && answer.status === 503;
    const isOurs = answer.status >= 500 && !isDenial;
    const ofAll = [...this.requestIdProblems(answer), ...(isOurs ? ['an error of ours'] : [])];
    if (operation === undefined) return [...ofAll, ...this.refusalProblems(answer, request, NO_ROUTE)];
    const documented = operation.answers[answer.status];
    const known = documented && this.problemsByDocument(documented, answer, request);
    if (answer.status < 300) ofAll.push(...this.admissionProblems(operation, request));
    if (known?.length === 0) return ofAll;
    const early = this.refusalProblems(answer, request, BEFORE_ANY_ROUTE);
    return early.length === 0 ? ofAll : [...ofAll, ...(known ?? [`${answer.status} is not documented`])];
  }

  private requestIdProblems({ status, headers, body }: Answer): string[] {
    const id = headers['x-request-id'];
    if (typeof id !== 'string' || id === '') return ['no X-Request-Id'];
    return status < 400 || body === undefined || body.request_id === id ? [] : ['another request_id than X-Request-Id'];
  }

  /** The envelope of failures, with one of these codes. */
  private refusalProblems(answer: Answer, { method }: FuzzRequest, codes: Set<string>): string[] {
    if (method === 'HEAD') return answer.status >= 400 && answer.status < 500 ? [] : [`${answer.status} to HEAD`];
    const outcome = `${answer.status} ${answer.body?.error?.code}`;
    return codes.has(outcome) ? this.schemaProblems(this.failure, answer.body) : [`answered ${outcome}`];
  }

  private problemsByDocument(documented: DocumentedAnswer, answer: Answer, { method }: FuzzRequest): string[] {
    const problems = Object.entries(documented.headers ?? {}).flatMap(([name, { schema }]) => {
      const value = answer.headers[name.toLowerCase()];
      return value === undefined ? [] : this.schemaProblems(schema, value);
    });
    const [type = '', content] = Object.entries(documented.content ?? {})[0] ?? [];
    if (!content) return answer.text === '' ? problems : [...problems, 'a body that is not documented'];
    if (!(answer.headers['content-type'] ?? '').startsWith(type)) problems.push(`not ${type}`);
    if (method === 'HEAD') return problems;
    const code = answer.body?.error?.code;
    // A gateway may request every refusal as a 403 (`?deny=403`)
    const isAnyRefusal = answer.status === 403 && answer.headers['x-w3ipfs-code'] !== undefined;
    if (code !== undefined && !isAnyRefusal && !(code in (content.examples ?? {})))
      problems.push(`the code ${code} is not documented`);
    return [...problems, ...this.schemaProblems(content.schema, answer.body ?? answer.text)];
  }

  /** A request that the document does not admit must not succeed. */
  private admissionProblems({ id, body, parameters }: Operation, request: FuzzRequest): string[] {
    const names = new Set(parameters.filter((one) => one.in === 'query').map(({ name }) => name));
    const query = new URLSearchParams(request.path.split('?').slice(1).join('?'));
    const unknown = TAKES_ANY_QUERY.has(id) ? [] : [...query.keys()].filter((name) => !names.has(name));
    const problems = unknown.map((name) => `succeeded with the parameter ${name}`);
    if (!body || request.body === undefined) return problems;
    const given =
      typeof request.body === 'object' && !Buffer.isBuffer(request.body) ? request.body : parsed(request.body);
    // As sent: JSON omits undefined members
    const refused = this.schemaProblems(body, JSON.parse(JSON.stringify(given)));
    return [...problems, ...refused.map((offence) => `succeeded although the request is refused: ${offence}`)];
  }

  private schemaProblems(schema: Schema, value: unknown): string[] {
    let validate = this.validators.get(schema);
    if (!validate) this.validators.set(schema, (validate = this.ajv.compile(schema)));
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }
}

function parsed(text: unknown): unknown {
  return JSON.parse(String(text));
}

/**
 * The same schema, closed: undocumented members of an answer are a finding, although clients have to tolerate them.
 */
export function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T;
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, child]) => [name, closed(child)]));
  const isOpen =
    copy['type'] === 'object' && copy['properties'] !== undefined && copy['additionalProperties'] === undefined;
  return (isOpen ? { ...copy, additionalProperties: false } : copy) as T;
}
