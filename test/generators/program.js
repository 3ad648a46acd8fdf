/** TypeScript that is inserted into a call unquoted: the answer of an earlier call. */
class Source {
  constructor(text) {
    this.text = text;
  }
}

/** A value as TypeScript. */
export function source(value) {
  if (value instanceof Source) return value.text;
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`;
  if (value === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${source(member)}`)
    .join(', ')} }`;
}

source.of = (text) => new Source(text);

/** Without empty members, which are omitted from a call. */
export function given(members) {
  const isEmpty = (value) =>
    value === undefined || (Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

/** A list of arguments as TypeScript. */
export function positional(values) {
  return values.map(source).join(', ');
}

/** The start of every program: the callers, and the report of each call's outcome. */
const BEGIN = `
declare const process: { env: Record<string, string>; stdout: { write(text: string): void } };
const { BASE_URL = '', SESSION = '', SERVICE = '' } = process.env;
type Caller = 'session' | 'service' | 'pair' | 'stranger' | 'nobody';
let key = { id: '', api_key: '', secret_key: '' };
const headersOf = (caller: Caller): Record<string, string> => {
  if (caller === 'nobody') return {};
  if (caller === 'session') return { Authorization: \`Bearer \${SESSION}\` };
  if (caller === 'service') return { Authorization: \`Bearer \${SERVICE}\` };
  const secret = caller === 'pair' ? key.secret_key : key.secret_key.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  return { pinning_api_key: key.api_key, pinning_secret_key: secret };
};
const report = (operation: string, status: number | undefined, body: unknown) =>
  process.stdout.write(\`\${JSON.stringify({ operation, status, body })}\\n\`);
`;

/** A TypeScript module that makes the calls with a generated client, one at a time. */
export function programOf({ imports, begin, call }, calls) {
  const blocks = calls.map(
    (one) => `
async function ${one.operation}${one.status}() {
  const { status, body, failure } = ${call(one)};
  report(${source(one.operation)}, status, body ?? failure);
  if (status !== ${one.status}) throw new Error('${one.operation} is answered ' + status);
  ${one.use}
}
await ${one.operation}${one.status}();`,
  );
  return [imports, BEGIN, begin, ...blocks, 'export {};', ''].join('\n');
}
