import { given, source } from '../program.js';

export const openapiFetch = {
  name: 'openapi-fetch',
  generate: ({ document, folder }) => ['openapi-typescript', document, '--output', `${folder}/schema.d.ts`],
  imports: `import createClient from 'openapi-fetch';
import type { paths } from './schema';`,
  begin: `
const clientOf = (caller: Caller) => createClient<paths>({ baseUrl: BASE_URL, headers: headersOf(caller) });
const outcome = async <D, E>(answer: Promise<{ data?: D; error?: E; response: Response }>) => {
  const { data, error, response } = await answer;
  return { status: response.status, body: data, failure: error };
};`,
  call({ method, path, caller, isJson, args: { path: inPath, query, headers: header, body } }) {
    // It parses every answer as JSON unless configured otherwise
    const parseAs = isJson ? undefined : 'text';
    const init = given({ params: given({ path: inPath, query, header }), body, parseAs });
    return `await outcome(clientOf('${caller}').${method}('${path}', ${source(init)}))`;
  },
};
