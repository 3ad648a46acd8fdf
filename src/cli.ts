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
  revoke --api-key <w3k_...>                  revoke a key, whoever owns it
  verify-audit                                find events of the audit trails that were altered, removed or inserted
  verify-audit --owner <sub> --accept <event> --reason <text>
                                              accept what is wrong with an event, as in "<sub>, event <event>: altered"
  signed-by                                   count secrets by the entry of CREDENTIAL_KEYS that signed them, and list
                                              those that the first one has not signed
  migrate                                     bring the database's schema up to date
  import --from <folder>                      copy what is in the embedded database of a DATA_DIR into DATABASE_URL

With --json, the result is one JSON object on standard output. Which database it is about is named on standard error.`;

const OPTIONS = {
  owner: { type: 'string' },
  'api-key': { type: 'string' },
  accept: { type: 'string' },
  reason: { type: 'string' },
  from: { type: 'string' },
} as const;

type Options = Record<keyof typeof OPTIONS, string | undefined>;

/** What the secrets of `DATA_DIR` are for: with those that are for the very first call, they are made like by the service. */
const MISSING_SECRETS: Record<string, MissingSecretsPolicy> = {
  'issue-admin': 'make',
  session: 'make',
  'signed-by': 'refuse',
};

/** Who is wrong about the usage is told so before the application is loaded, which takes a second. */
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
    if (!from) throw new UsageError('Say from where: --from <folder>, the DATA_DIR of the embedded database.');
    return async (environment) => (await loadCommands()).importEmbedded(environment, from);
  },
};

function requiredOwner({ owner }: Options): string {
  if (!isOwnerId(owner)) throw new UsageError('Say whose: --owner <sub>, 1 to 255 characters.');
  return owner;
}

function requiredApiKey({ 'api-key': apiKey }: Options): string {
  if (!isApiKey(apiKey)) throw new UsageError('Say which key: --api-key w3k_..., 24 characters; not its secret.');
  return apiKey;
}

function requiredEvent({ accept }: Options): string {
  if (!/^-?\d{1,19}$/.test(accept ?? '')) throw new UsageError('Say which event: --accept <its number>.');
  return String(BigInt(accept ?? ''));
}

function requiredReason({ reason = '' }: Options): string {
  const text = reason.trim();
  if (!/^\P{C}{1,500}$/u.test(text)) throw new UsageError('Say why: --reason <text>, 1 to 500 characters in one line.');
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

/** Named only where it looks like one: who gets the order wrong may have written a secret there. */
function unknownCommandMessage(name: string): string {
  const named = /^[A-Za-z-]{1,32}$/.test(name) ? ` ${name}` : ' of that name';
  return `There is no command${named}${probablyMeant(name, Object.keys(COMMANDS))}.`;
}

async function main(): Promise<string> {
  const { values, positionals } = parse();
  if (values.help) return USAGE;
  const [name = '', ...surplus] = positionals;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(name === '' ? USAGE : `${unknownCommandMessage(name)}\n\n${USAGE}`);
  if (surplus.length > 0) throw new UsageError(`${name} takes no word behind it, only options.\n\n${USAGE}`);
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
  const environment = loadEnvironment(process.env, MISSING_SECRETS[name] ?? 'invent');
  const { withDatabaseErrors: onDatabase } = await import('./operations/lifecycle/database-failure.js');
  const result = await onDatabase(environment.database, () => run(environment), writePlainLine);
  return json ? JSON.stringify(result) : (await loadCommands()).formatResult(result);
}

// What is made in DATA_DIR, by the embedded database too, is for this user alone
process.umask(0o077);
ignoreOutputErrors();

try {
  console.log(await main());
} catch (error) {
  exitWith(error, writePlainLine);
}
