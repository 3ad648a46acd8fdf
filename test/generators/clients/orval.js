import { writeFileSync } from 'node:fs';
import { positional, source } from '../program.js';
import { BY_STATUS } from './by-status.js';

/** Its client parses every answer as JSON; others need a custom function, as configured here. */
const PLAIN_TEXT = `
export const plainText = async <T>(url: string, options?: RequestInit): Promise<T> => {
  const response = await fetch(url, options);
  return { data: await response.text(), status: response.status, headers: response.headers } as T;
};
`;

export const orval = {
  name: 'orval',
  generate: ({ document, folder, url, calls }) => {
    const mutator = { path: './plain-text.ts', name: 'plainText' };
    const plain = calls.filter(({ isJson }) => !isJson).map(({ operation }) => [operation, { mutator }]);
    const output = { target: './client.ts', client: 'fetch', baseUrl: url };
    const config = {
      client: { input: document, output: { ...output, override: { operations: Object.fromEntries(plain) } } },
    };
    writeFileSync(`${folder}/plain-text.ts`, PLAIN_TEXT);
    writeFileSync(`${folder}/orval.config.cjs`, `module.exports = ${JSON.stringify(config)};`);
    return ['orval', '--config', `${folder}/orval.config.cjs`];
  },
  imports: "import * as client from './client';",
  begin: BY_STATUS,
  call({ operation, caller, args, takes }) {
    // Headers are options of the request, not parameters
    const headers = source.of(`{ ...headersOf('${caller}'), ...${source(args.headers)} }`);
    const given = [
      ...Object.values(args.path),
      ...(takes.body ? [args.body] : []),
      ...(takes.query ? [args.query] : []),
    ];
    return `await outcome(client.${operation}(${positional([...given, { headers }])}))`;
  },
};
