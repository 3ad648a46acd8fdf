import { given, source } from '../program.js';

export const heyApi = {
  name: 'hey-api',
  generate: ({ document, folder }) => ['openapi-ts', '--input', document, '--output', `${folder}/sdk`],
  imports: `import { createClient, createConfig } from './sdk/client';
import * as sdk from './sdk';`,
  begin: `
const clientOf = (caller: Caller) => createClient(createConfig({ baseUrl: BASE_URL, headers: headersOf(caller) }));
const outcome = async <D, E>(answer: Promise<{ data?: D; error?: E; response?: Response }>) => {
  const { data, error, response } = await answer;
  return { status: response?.status, body: data, failure: error };
};`,
  call({ operation, caller, args }) {
    const options = { ...given(args), client: source.of(`clientOf('${caller}')`) };
    return `await outcome(sdk.${operation}(${source(options)}))`;
  },
};
