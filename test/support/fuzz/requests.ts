import fc from 'fast-check';
import { credentialOf, type IssuedKey } from '../keys.js';
import { pairOf } from '../verification.js';
import { fitting } from './fitting.js';
import { headerText, nearly, percentEncoded, strangeTypes, strangeWords, tooLarge, wildBodies } from './hostile.js';
import type { Operation, Parameter } from './operations.js';
import type { Supply } from './supply.js';

export interface FuzzRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: Record<string, string | string[]>;
  body?: unknown;
}

/**
 * How a request is mutated. A fitting one has credentials that the operation accepts; `credentials`, any;
 * `oversized` has too much of something, or a body of an invalid type.
 */
export const KINDS = ['fitting', 'credentials', 'nearly', 'fitting', 'wild', 'credentials', 'oversized'] as const;
export type Kind = (typeof KINDS)[number];

/** Used repeatedly, as an `Idempotency-Key` is sometimes; and an `If-Match` that never matches. */
const WORDS = ['"999"', 'the same again', '*'];
const METHODS = ['GET', 'POST', 'DELETE', 'PATCH', 'PUT', 'HEAD', 'OPTIONS', 'QUERY'];

/** Requests to an operation, generated from its documentation. */
export class Requests {
  constructor(
    private readonly operation: Operation,
    private readonly supply: Supply,
  ) {
    this.byKind = {
      fitting: this.fitting(),
      credentials: this.fitting(),
      nearly: this.nearly(),
      wild: this.wild(),
      oversized: this.oversized(),
    };
  }

  private readonly byKind: Record<Kind, fc.Arbitrary<FuzzRequest>>;

  /** The same kind and seed make the same request, apart from ids of keys. @param credentials any kind's name */
  one(kind: Kind, seed: number, credentials: string): FuzzRequest {
    const [request] = fc.sample(this.byKind[kind], { numRuns: 1, seed });
    const { headers, ...rest } = request as FuzzRequest;
    const name = kind === 'fitting' || (kind === 'nearly' && seed % 5 > 0) ? this.rightCredentials(seed) : credentials;
    return { ...rest, headers: { ...this.clientOf(seed), ...headers, ...this.supply.credentials[name] } };
  }

  /** Of many addresses, since refusals of one are delayed; leak reports of one, whose number is limited. */
  private clientOf(seed: number): Record<string, string> {
    return this.operation.id === 'reportLeak' ? {} : { 'x-forwarded-for': `127.1.1.${1 + (seed % 250)}` };
  }

  /** By the names of the security schemes. */
  private rightCredentials(seed: number): string {
    const names = this.operation.security.map((schemes) => (schemes.length > 1 ? 'admin' : (schemes[0] as string)));
    return names[seed % names.length] ?? 'none';
  }

  private fitting(): fc.Arbitrary<FuzzRequest> {
    const parameters = this.operation.parameters;
    return this.requestOf(
      fc.tuple(...parameters.map((one) => this.valueOf(one))),
      this.body() ?? fc.constant(undefined),
    );
  }

  private nearly(): fc.Arbitrary<FuzzRequest> {
    const values = this.operation.parameters.map((one) =>
      fc.oneof({ arbitrary: this.valueOf(one), weight: 3 }, this.strange(one)),
    );
    const body = this.body();
    const request = this.requestOf(fc.tuple(...values), body ? nearly(body) : fc.constant(undefined));
    const more = fc.option(fc.webQueryParameters(), { freq: 8, nil: undefined });
    return fc
      .tuple(request, more)
      .map(([one, query]) => (query ? Object.assign(one, { path: withQuery(one.path, query) }) : one));
  }

  private wild(): fc.Arbitrary<FuzzRequest> {
    const values = this.operation.parameters.map((one) => this.strange(one));
    const request = this.requestOf(fc.tuple(...values), wildBodies(this.body() ?? fc.jsonValue()));
    const method = fc.option(fc.constantFrom(...METHODS), { freq: 3, nil: undefined });
    const names = [
      'x-forwarded-for',
      'x-original-uri',
      'x-original-method',
      'x-request-id',
      'accept',
      'content-encoding',
      'if-match',
      'expect',
      'range',
    ];
    const headers = fc.dictionary(fc.constantFrom(...names), headerText, { maxKeys: 2 });
    const query = fc.option(strangeWords, { nil: undefined });
    return fc
      .record({ request, method, headers, query, type: fc.option(strangeTypes, { nil: undefined }) })
      .map((wild) => {
        const type = wild.type === undefined ? {} : { 'content-type': wild.type };
        return {
          method: wild.method ?? wild.request.method,
          path: wild.query === undefined ? wild.request.path : withQuery(wild.request.path, wild.query),
          headers: Object.assign({}, wild.request.headers, wild.headers, type),
          body: wild.request.body,
        };
      });
  }

  private oversized(): fc.Arbitrary<FuzzRequest> {
    const ways: fc.Arbitrary<Partial<FuzzRequest>> = fc.oneof(
      fc.constant({ body: tooLarge(this.operation.id) }),
      strangeTypes.map((type) => ({ headers: { 'content-type': type }, body: '{}' })),
      fc.constant({ headers: { x: 'x'.repeat(20_000) } }),
    );
    return fc.tuple(this.fitting(), ways).map(([request, way]) => Object.assign({}, request, way));
  }

  private requestOf(values: fc.Arbitrary<unknown[]>, body: fc.Arbitrary<unknown>): fc.Arbitrary<FuzzRequest> {
    const { method, parameters } = this.operation;
    const slash = fc.constantFrom('', '', '/');
    return fc.tuple(values, body, slash).map(([given, sent, end]) => {
      const ofPlace = (place: Parameter['in']) =>
        parameters.flatMap(({ name, in: where }, index) =>
          where === place && given[index] !== undefined
            ? [[name, String(given[index] as string | number)] as const]
            : [],
        );
      const path = ofPlace('path').reduce(
        (all, [name, word]) => all.replace(`{${name}}`, () => word),
        this.operation.path,
      );
      const query = ofPlace('query').map(([name, word]) => `${name}=${word}`);
      const headers = Object.fromEntries(ofPlace('header').map(([name, text]) => [name, text]));
      return { method, path: withQuery(path + end, query.join('&')), headers, body: sent };
    });
  }

  private body(): fc.Arbitrary<unknown> | undefined {
    const { body, id } = this.operation;
    if (!body) return undefined;
    // A pair reported as leaked is revoked
    const key = (number: number) => (id === 'reportLeak' ? this.supply.key(number) : this.supply.anyKey(number));
    const mostly = { freq: 8, nil: undefined };
    return fc
      .tuple(fitting(body), fc.option(fc.nat(), mostly))
      .map(([value, number]) => (number === undefined ? value : withPairs(value, number, key)));
  }

  /** Valid values; ids are mostly those of existing keys. */
  private valueOf({ name, in: place, required, schema }: Parameter): fc.Arbitrary<unknown> {
    const encoded =
      place === 'header'
        ? fc.oneof(fitting(schema).map(asHeader), fc.constantFrom(...WORDS))
        : fitting(schema).map((value) => percentEncoded(String(value)));
    const ids = fc.oneof(
      {
        arbitrary: fc.tuple(fc.nat(), spellings).map(([number, spell]) => spell(this.supply.key(number).id)),
        weight: 6,
      },
      fc.constantFrom(this.supply.foreignId(), this.supply.revokedId()),
      encoded,
    );
    const values = name === 'id' || name === 'api_key_id' ? ids : encoded;
    return required ? values : fc.option(values, { nil: undefined });
  }

  private strange({ in: place }: Parameter): fc.Arbitrary<unknown> {
    return place === 'header' ? headerText : strangeWords;
  }
}

/** How the id of a key may be written: all of these are the same one. */
const spellings = fc.constantFrom(
  (id: string) => id,
  (id: string) => id.toUpperCase(),
  (id: string) => id.replace(/[a-f]/g, (letter, at: number) => (at % 2 ? letter : letter.toUpperCase())),
);

/** Without the characters that a header cannot carry. */
function asHeader(value: unknown): string {
  return String(value).replace(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '?');
}

/** Inserts the pairs of existing keys wherever a pair belongs. */
function withPairs(value: unknown, number: number, key: (number: number) => IssuedKey): unknown {
  if (Array.isArray(value)) return value.map((one, index) => withPairs(one, number + index, key));
  if (typeof value !== 'object' || value === null) return value;
  if ('credential' in value) return { ...value, credential: credentialOf(key(number)) };
  if ('api_key' in value && 'secret_key' in value) return { ...value, ...pairOf(key(number)) };
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, withPairs(child, number, key)]));
}

function withQuery(path: string, query: string): string {
  return query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
}
