import { writeFileSync } from 'node:fs';
import { given, source } from '../program.js';

export const kubb = {
  name: 'kubb',
  generate: ({ document, folder }) => {
    writeFileSync(
      `${folder}/kubb.config.js`,
      `import { defineConfig } from '@kubb/core';
import { pluginClient } from '@kubb/plugin-client';
import { pluginOas } from '@kubb/plugin-oas';
import { pluginTs } from '@kubb/plugin-ts';
export default defineConfig({
  root: '.',
  input: { path: ${JSON.stringify(document)} },
  output: { path: ${JSON.stringify(`${folder}/sdk`)}, format: false, lint: false },
  plugins: [
    pluginOas({ generators: [] }),
    pluginTs(),
    pluginClient({ client: 'fetch', bundle: true, dataReturnType: 'full', paramsType: 'object' }),
  ],
});`,
    );
    return ['kubb', 'generate', '--config', `${folder}/kubb.config.js`];
  },
  imports: `import * as sdk from './sdk';
import type { Client, ResponseConfig } from './sdk/.kubb/fetch';`,
  begin: `
// Its client sends bodies without their type
const optionsOf = (caller: Caller) => ({
  baseURL: BASE_URL,
  headers: { ...headersOf(caller), 'Content-Type': 'application/json' },
});
// And it parses every answer as JSON
const plainText = (async ({ baseURL = '', url = '', params, headers }) => {
  const query = new URLSearchParams(params as Record<string, string>);
  const response = await fetch(\`\${baseURL}\${url}?\${query}\`, { headers: new Headers(headers) });
  const { status, statusText } = response;
  return { data: await response.text(), status, statusText, headers: response.headers };
}) as Client;
const outcome = async <D>(answer: Promise<ResponseConfig<D>>) => {
  const { status, data } = await answer;
  return status === 200 || status === 202
    ? { status, body: data, failure: undefined }
    : { status, body: undefined, failure: data as unknown as sdk.Failure };
};`,
  call({ operation, caller, isJson, takes, args: { path, query: params, headers, body: data } }) {
    const options = source.of(`{ ...optionsOf('${caller}')${isJson ? '' : ', client: plainText'} }`);
    const takesAny = Object.values(takes).some(Boolean) || Object.keys(path).length > 0;
    const list = [...(takesAny ? [given({ ...path, params, headers, data })] : []), options].map(source);
    return `await outcome(sdk.${operation}(${list.join(', ')}))`;
  },
};
