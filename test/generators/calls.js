import { source } from './program.js';

const CHECKED = 'if (body === undefined) throw new Error("there is no body");';

/**
 * The calls besides the examples of the document, and `use`: TypeScript that compiles if the types of the answer
 * (`body`) are as a user expects. Operations that are not listed here are called as the document shows them.
 */
const CHANGES = {
  createApiKey: {
    headers: { 'Idempotency-Key': 'once' },
    use: 'key = body.data;',
  },
  listApiKeys: {
    query: { limit: 5, scope: 'pinning.unpin' },
    use: `const names: string[] = body.data.api_keys.map((one) => one.name);
          const next: string | null = body.data.next_cursor;
          if (next !== null || !names.includes('test-api-key')) throw new Error('the key is not listed');`,
  },
  getApiKey: {
    use: `const state: 'active' | 'disabled' | 'pending' | 'expired' | 'exhausted' | 'revoked' = body.data.status;
          const expiry: string | null = body.data.limits.expires_at;
          const ended: string | undefined = body.data.rotation?.previous_secret_expires_at;
          if (state !== 'active' || expiry || ended) throw new Error('the key is another one');`,
  },
  updateApiKey: {
    headers: { 'If-Match': '"1"' },
    use: 'if (body.data.name !== "gallery") throw new Error("the name is not changed");',
  },
  rotateApiKey: { use: 'key.secret_key = body.data.secret_key;' },
  testAuthentication: {
    caller: 'pair',
    use: 'if (!body.data.scopes.pinning.unpin) throw new Error("the scopes are not effective");',
  },
  verifyApiKey: {
    // Without members that have a default
    body: { api_key: source.of('key.api_key'), secret_key: source.of('key.secret_key'), scope: 'pinning.unpin' },
    use: `if (!body.data.valid) {
            const refusal: Exclude<typeof body.data.code, 'VALID'> = body.data.code;
            // @ts-expect-error No refusal names the owner of a key
            throw new Error(refusal + body.data.owner_id);
          }
          const [owner, uses]: [string, number | null] = [body.data.owner_id, body.data.remaining_uses];
          if (owner === '' || uses !== null) throw new Error('the key is another one');`,
  },
  verifyApiKeys: {
    use: `for (const one of body.data.verdicts) {
            if (one.code === 'RATE_LIMITED') one.rate_limit.reset_seconds.toFixed();
            if (one.code === 'UNAVAILABLE') one.retry_after_seconds.toFixed();
            // @ts-expect-error This code does not exist
            if (one.code === 'PERHAPS') throw new Error();
          }`,
  },
  reportVerdicts: { use: 'if (body.data.accepted !== 0) throw new Error("the keys of the example exist");' },
  authorizeRequest: { query: { scope: 'pinning.unpin' } },
  listEvents: {
    query: { action: 'key.created' },
    use: `for (const { action, refusal } of body.data.events) {
            if (action === 'call.refused' || refusal === 'key_not_found') throw new Error('nothing was refused');
            // @ts-expect-error This action does not exist
            if (action === 'key.seen') throw new Error();
          }`,
  },
  getApiKeyUsage: { use: 'for (const { verified } of body.data.days) verified.toFixed();' },
  deleteApiKey: {
    query: { cascade: 'true' },
    use: 'if (body.data.revoked !== 1 || !body.data.complete) throw new Error("the key is not revoked");',
  },
};

/** The types of a failure list its codes; an unknown key and a wrong secret share one. */
const REFUSED = `
  const code: 'unauthenticated' | 'key_not_found' | undefined | (string & {}) = failure?.error.code;
  const reason: 'INVALID_CREDENTIALS' | 'EXPIRED' | undefined | (string & {}) = failure?.error.reason;
  // @ts-expect-error This code does not exist
  if (failure?.error.code === 'forbidden') throw new Error();
  if (code !== 'unauthenticated' || reason !== 'INVALID_CREDENTIALS') throw new Error('it is refused otherwise');`;

/**
 * Every operation of the document as a call: its method, path, parameters, caller and body, and the use of its
 * answer. Deletions come last, followed only by a refused call.
 */
export function callsOf(document) {
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => callOf(method.toUpperCase(), path, operation)),
  );
  const inOrder = calls.toSorted((a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'));
  const tested = calls.find(({ operation }) => operation === 'testAuthentication');
  return [...inOrder, { ...tested, caller: 'stranger', status: 401, use: REFUSED }];
}

function callOf(method, path, { operationId: operation, parameters = [], requestBody, security, responses }) {
  const { caller = callerOf(security), use, ...changes } = CHANGES[operation] ?? {};
  const status = Object.keys(responses).find((one) => one.startsWith('2'));
  const isAny = (place) => parameters.some((parameter) => parameter.in === place);
  return {
    operation,
    method,
    path,
    caller,
    args: argsOf(parameters, requestBody, changes),
    takes: { query: isAny('query'), headers: isAny('header'), body: requestBody !== undefined },
    isJson: responses[status].content?.['application/json'] !== undefined,
    status: Number(status),
    use: use ? `${CHECKED} ${use}` : '',
  };
}

function callerOf(security) {
  const schemes = security.flatMap((requirement) => Object.keys(requirement));
  if (schemes.length === 0) return 'nobody';
  return schemes.includes('session') ? 'session' : 'service';
}

/** The given parameters, otherwise the required ones as the document shows them; ids are those of the created key. */
function argsOf(parameters, requestBody, { query = {}, headers = {}, body = exampleOf(requestBody) }) {
  const args = { path: {}, query: { ...query }, headers: { ...headers }, body };
  for (const { name, in: place, required, schema, example } of parameters) {
    if (place === 'path' && name === 'id') args.path.id = source.of('key.id');
    else if (required) args[place === 'header' ? 'headers' : place][name] ??= example ?? schema.example;
  }
  return args;
}

function exampleOf(requestBody) {
  const [example] = Object.values(requestBody?.content['application/json'].examples ?? {});
  return example?.value;
}
