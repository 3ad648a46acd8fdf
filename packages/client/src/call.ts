/** What a call takes: its documented `body`, `path`, `query` and `headers`, and a signal that aborts it. */
export type Call<TRequest extends { url: string }> = Omit<TRequest, 'url'> & {
  /** For a timeout: `AbortSignal.timeout(5_000)`. */
  signal?: AbortSignal | undefined;
};

export interface Answer<TBody> {
  /** The `data` of the answer; its whole body, if that has none. */
  data: TBody extends { data: infer TData } ? TData : TBody;
  /** Such as the `ETag` of a key, for `If-Match`. */
  headers: Headers;
}

/** How the body of a success is read. */
export type Format = 'json' | 'text' | 'empty';

/** Any call, as it is sent. Members that are `undefined` are left out. */
interface AnyCall {
  body?: unknown;
  path?: ParameterValues;
  query?: ParameterValues;
  headers?: ParameterValues;
  signal?: AbortSignal | undefined;
}

export type ParameterValues = Record<string, string | number | undefined>;

/** Sends a call to a path such as `/api/apiKeys/{id}`. */
export type Send = <TBody>(method: string, path: string, format: Format, call: AnyCall) => Promise<Answer<TBody>>;
