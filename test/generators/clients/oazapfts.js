import { positional, source } from '../program.js';
import { BY_STATUS } from './by-status.js';

/** `X-Original-URI` is `xOriginalUri`, and a reserved word gets the prefix `$`. */
function camelCase(name) {
  const [first, ...others] = name.toLowerCase().split(/[-_]/);
  const joined = first + others.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
  return joined === 'from' ? `$${joined}` : joined;
}

export const oazapfts = {
  name: 'oazapfts',
  generate: ({ document, folder }) => ['oazapfts', document, `${folder}/client.ts`],
  imports: "import * as client from './client';",
  begin: `
const optionsOf = (caller: Caller) => ({ baseUrl: BASE_URL, headers: headersOf(caller) });
${BY_STATUS}`,
  call({ operation, caller, args, takes }) {
    const named = Object.entries({ ...args.query, ...args.headers }).map(([name, value]) => [camelCase(name), value]);
    const given = [...Object.values(args.path), ...(takes.body ? [args.body] : [])];
    const options = takes.query || takes.headers ? [Object.fromEntries(named)] : [];
    const list = positional([...given, ...options, source.of(`optionsOf('${caller}')`)]);
    return `await outcome(client.${operation}(${list}))`;
  },
};
