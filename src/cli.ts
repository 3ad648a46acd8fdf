import { parseArgs } from 'node:util';
import { isApiKey } from './api-keys/credentials/credentials.js';
import { probablyMeant } from './suggestions/suggestions.js';
import { isOwnerId } from './principals/principal.js';
import type { MissingSecretsPolicy } from './config/development-secrets.js';
import { readEnvFile } from './config/env-file.js';
import type { Environment } from './config/environment.js';
import { loadEnvironment } from './configuration.js';
import type { CommandResult } from './operations/commands/commands.js';
import { exitWith, UsageError } from './operations/lifecycle/exit.js';
import { ignoreOutputErrors, writePlainLine } from './logging/standard-streams.js';

const USAGE = `Usage: npm run keys -- <command> [--json]

  issue-admin --owner <sub>                   issue an admin key for an account
  session --owner <sub>                       sign a session token, valid for two hours (development only)
  revoke --api-key <w3k_...>                  revoke a key of any owner
  verify-audit                                find events of the audit trails that were altered, removed or inserted
  verify-audit --owner <sub> --accept <event> --reason <text>
                                              accept a problem that is reported as "<sub>, event <event>: altered"
  signed-by                                   count secrets by the entry of CREDENTIAL_KEYS that signed them, and list
                                              those that the first one has not signed
  migrate                                     bring the database's schema up to date
  import --from <folder>                      copy the embedded database of a DATA_DIR into DATABASE_URL

With --json, the result is one JSON object on standard output. The database is named on standard error.`;

const OPTIONS = {
  owner: { type: 'string' },
  'api-key': { type: 'string' },
  accept: { type: 'string' },
  reason: { type: 'string' },
  from: { type: 'string' },
} as const;

type Options = Record<keyof typeof OPTIONS, string | undefined>;

/** What each command does if `DATA_DIR` has no secrets; the others use ephemeral ones. */
const MISSING_SECRETS: Record<string, MissingSecretsPolicy> = {
  'issue-admin': 'create',
  session: 'create',
  'signed-by': 'reject',
};

/** Loaded late, since it takes a second: usage errors are reported at once. */
const loadCommands = () => import('./operations/commands/commands.js');

const COMMANDS: Record<string, (given: Options) => (environment: Environment) => Promise<CommandResult>> = {
  'issue-admin': (given) => {
    const owner = requiredOwner(given);
    return async (environment) => (await loadCommands()).issueAdmin(environment, owner);
  },
  session: (given) => {
    const owner = requiredOwner(given);
    return async (environment) => (await loadCommands()).session(environment, owner);
  },
  revoke: (given) => {
    const apiKey = requiredApiKey(given);
    return async (environment) => (await loadCommands()).revoke(environment, apiKey);
  },
  'verify-audit': (given) => {
    if ([given.owner, given.accept, given.reason].every((one) => one === undefined)) {
      return async (environment) => (await loadCommands()).verifyAudit(environment);
    }
    const request = { ownerId: requiredOwner(given), seq: requiredEvent(given), reason: requiredReason(given) };
    return async (environment) => (await loadCommands()).acceptAuditProblem(environment, request);
  },
  'signed-by': () => async (environment) => (await loadCommands()).signedBy(environment),
  migrate: () => async (environment) => (await loadCommands()).migrate(environment),
  import: ({ from }) => {
    if (!from) throw new UsageError('Missing option: --from <folder>, the DATA_DIR of the embedded database.');
    return async (environment) => (await loadCommands()).importEmbedded(environment, from);
  },
};

function requiredOwner({ owner }: Options): string {
  if (!isOwnerId(owner)) throw new UsageError('Missing or invalid option: --owner <sub>, 1 to 255 characters.');
  return owner;
}

function requiredApiKey({ 'api-key': apiKey }: Options): string {
  if (!isApiKey(apiKey))
    throw new UsageError('Missing or invalid option: --api-key w3k_..., 24 characters; not the secret key.');
  return apiKey;
}

function requiredEvent({ accept }: Options): string {
  if (!/^-?\d{1,19}$/.test(accept ?? ''))
    throw new UsageError('Missing or invalid option: --accept <event>, the number of the event.');
  return String(BigInt(accept ?? ''));
}

function requiredReason({ reason = '' }: Options): string {
  const text = reason.trim();
  if (!/^\P{C}{1,500}$/u.test(text))
    throw new UsageError('Missing or invalid option: --reason <text>, 1 to 500 characters in one line.');
  return text;
}

function parse() {
  try {
    const flags = { json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
    return parseArgs({ allowPositionals: true, options: { ...OPTIONS, ...flags } });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** Quotes the name only if it looks like one: with arguments in the wrong order, it may be a secret. */
function unknownCommandMessage(name: string): string {
  const named = /^[A-Za-z-]{1,32}$/.test(name) ? ` ${name}` : '';
  return `Unknown command${named}${probablyMeant(name, Object.keys(COMMANDS))}.`;
}

async function main(): Promise<string> {
  const { values, positionals } = parse();
  if (values.help) return USAGE;
  const [name = '', ...extra] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(name === '' ? USAGE : `${unknownCommandMessage(name)}\n\n${USAGE}`);
  if (extra.length > 0) throw new UsageError(`${name} accepts no arguments, only options.\n\n${USAGE}`);
  const { json, help: _, ...given } = values;
  const run = command({
    owner: undefined,
    'api-key': undefined,
    accept: undefined,
    reason: undefined,
    from: undefined,
    ...given,
  });
  readEnvFile();
  const environment = loadEnvironment(process.env, MISSING_SECRETS[name] ?? 'ephemeral');
  const { withDatabaseErrors } = await import('./operations/lifecycle/database-failure.js');
  const result = await withDatabaseErrors(environment.database, () => run(environment), writePlainLine);
  return json ? JSON.stringify(result) : (await loadCommands()).formatResult(result);
}

// Files in DATA_DIR, including those of the embedded database, are for this user only
process.umask(0o077);
ignoreOutputErrors();

try {
  console.log(await main());
} catch (error) {
  exitWith(error, writePlainLine);
}
