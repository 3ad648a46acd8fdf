import { parseArgs } from 'node:util';
import { isApiKey } from './api-keys/credentials.js';
import { isOwnerId } from './authentication/principal.js';
import { type Environment, loadEnvironment } from './config/environment.js';
import type { Result } from './operations/commands.js';
import { exitWith, UsageError } from './operations/exit.js';

const USAGE = `Usage: npm run keys -- <command> [--json]

  issue-admin --owner <sub>                   issue an admin key for an account
  session --owner <sub>                       sign a session token, valid for two hours (development only)
  revoke --api-key <w3k_...>                  revoke a key, whoever owns it
  verify-audit                                find events of the audit trail that were altered, removed or inserted
  migrate                                     bring the database's schema up to date

With --json, the result is one JSON object on standard output.`;

type Given = Record<'owner' | 'api-key', string | undefined>;

/** Who is wrong about the usage is told so before the application is loaded, which takes a second. */
const load = () => import('./operations/commands.js');

const COMMANDS: Record<string, (given: Given) => (environment: Environment) => Promise<Result>> = {
  'issue-admin': (given) => {
    const owner = requiredOwner(given);
    return async (environment) => (await load()).issueAdmin(environment, owner);
  },
  session: (given) => {
    const owner = requiredOwner(given);
    return async (environment) => (await load()).session(environment, owner);
  },
  revoke: (given) => {
    const apiKey = requiredApiKey(given);
    return async (environment) => (await load()).revoke(environment, apiKey);
  },
  'verify-audit': () => async (environment) => (await load()).verifyAudit(environment),
  migrate: () => async (environment) => (await load()).migrate(environment),
};

function requiredOwner({ owner }: Given): string {
  if (!isOwnerId(owner)) throw new UsageError('Say whose: --owner <sub>, 1 to 255 characters.');
  return owner;
}

function requiredApiKey({ 'api-key': apiKey }: Given): string {
  if (!isApiKey(apiKey)) throw new UsageError('Say which key: --api-key w3k_..., 24 characters; not its secret.');
  return apiKey;
}

function parse() {
  try {
    const options = { owner: { type: 'string' }, 'api-key': { type: 'string' } } as const;
    const flags = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
    return parseArgs({ allowPositionals: true, options: { ...options, ...flags } });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

async function main(): Promise<string> {
  const { values, positionals } = parse();
  if (values.help) return USAGE;
  const [name = '', ...surplus] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command || surplus.length > 0) throw new UsageError(USAGE);
  const { json, owner, 'api-key': apiKey } = values;
  const run = command({ owner, 'api-key': apiKey });
  const result = await run(loadEnvironment(process.env));
  return json ? JSON.stringify(result) : readable(result);
}

function readable(result: Result): string {
  const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(12)}${[value].flat().join(', ') || '-'}`);
  return lines.join('\n');
}

// What is made in DATA_DIR, by the embedded database too, is for this user alone
process.umask(0o077);

try {
  console.log(await main());
} catch (error) {
  exitWith(error);
}
