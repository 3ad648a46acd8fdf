import { positional } from '../program.js';

export const swaggerTypescriptApi = {
  name: 'swagger-typescript-api',
  generate: ({ document, folder }) => [
    'swagger-typescript-api',
    'generate',
    ...['--path', document, '--output', folder, '--name', 'client.ts', '--enum-style', 'union'],
  ],
  imports: "import { Api, type Failure, type HttpResponse } from './client';",
  begin: `
const clientOf = (caller: Caller) => new Api({ baseUrl: BASE_URL, baseApiParams: { headers: headersOf(caller) } });
interface Outcome<D> {
  status: number;
  body?: D;
  failure?: Failure;
}
// Refusals are thrown
const outcome = async <D>(answer: Promise<HttpResponse<D, Failure>>): Promise<Outcome<D>> => {
  try {
    const { status, data } = await answer;
    return { status, body: data };
  } catch (refused) {
    const { status, error } = refused as HttpResponse<D, Failure>;
    return { status, failure: error };
  }
};`,
  call({ operation, path, caller, args, takes }) {
    const group = path.split('/')[1];
    const given = [
      ...Object.values(args.path),
      ...(takes.query ? [args.query] : []),
      ...(takes.body ? [args.body] : []),
    ];
    // Headers are not parameters of its own
    const list = positional([...given, { headers: args.headers }]);
    return `await outcome(clientOf('${caller}').${group}.${operation}(${list}))`;
  },
};
