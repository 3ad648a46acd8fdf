import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { parseArgs } from 'node:util';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { isApiKey } from './api-keys/credentials.js';
import { ADMIN_SCOPES } from './api-keys/scopes.js';
import { AppModule } from './app.module.js';
import { isOwnerId } from './authentication/principal.js';
import { type Environment, loadEnvironment } from './config/environment.js';
import { checkAudit } from './audit/audit-check.js';
import { operatorFor } from './api-keys/caller.js';
import { ApiKeyNotFoundError } from './api-keys/errors.js';
import { Revocations } from './api-keys/revocations.js';
import { Database } from './database/database.js';
import { signSession } from './operations/development-session.js';
import { exitWith, UsageError } from './operations/exit.js';

const USAGE = `Usage: npm run keys -- <command> [--json]

  issue-admin --owner <sub>                   issue an admin key for an account
  session --owner <sub>                       sign a session token, valid for two hours (development only)
  revoke --api-key <w3k_...>                  revoke a key, whoever owns it
  verify-audit                                find events of the audit trail that were altered, removed or inserted
  migrate                                     bring the database's schema up to date

With --json, the result is one JSON object on standard output.`;

/** What a command has to show, in the names of the HTTP contract. */
type Result = Record<string, string | string[]>;

type Options = Record<'owner' | 'api-key', string | undefined>;

const COMMANDS: Record<string, (environment: Environment, options: Options) => Result | Promise<Result>> = {
  'issue-admin': (environment, { owner }) => {
    const operator = operatorFor(requiredOwner(owner));
    return withService(environment, ApiKeysService, async (apiKeys) => {
      const { apiKey, secretKey } = await apiKeys.issue(operator, { name: 'Admin key', scopes: ADMIN_SCOPES });
      return { id: apiKey.id, owner_id: apiKey.ownerId, api_key: apiKey.apiKey, secret_key: secretKey };
    });
  },

  session: ({ developmentSessionKey }, { owner }) => {
    if (!developmentSessionKey) {
      throw new UsageError('Sessions are signed by the account service here: JWT_PUBLIC_KEY or JWT_JWKS_URL is set.');
    }
    const ownerId = requiredOwner(owner);
    return { owner_id: ownerId, token: signSession(developmentSessionKey, ownerId) };
  },

  revoke: (environment, { 'api-key': apiKey }) => {
    if (!isApiKey(apiKey)) throw new UsageError('Say which key: --api-key w3k_..., 24 characters; not its secret.');
    return withService(environment, Revocations, async (revocations) => {
      if (!(await revocations.revokeByApiKey(apiKey))) throw new ApiKeyNotFoundError(apiKey);
      return { api_key: apiKey, status: 'revoked' };
    });
  },

  'verify-audit': async (environment) => {
    const database = await openDatabase(environment);
    const { owners, events, offences } = await checkAudit(database.dataSource);
    await database.close();
    if (offences.length > 0) process.exitCode = 1;
    const worded = offences.map(({ owner_id: owner, seq, problem }) => `${owner}, event ${seq}: ${problem}`);
    return { owners: String(owners), events: String(events), offences: worded };
  },

  migrate: async (environment) => {
    const database = await openDatabase(environment);
    await database.close();
    return { migrated: [...database.migrated] };
  },
};

async function withService<T>(environment: Environment, service: Type<T>, run: (service: T) => Promise<Result>) {
  const module = AppModule.forRoot(environment, await openDatabase(environment));
  const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  try {
    return await run(context.get(service, { strict: false }));
  } finally {
    await context.close();
  }
}

/** Beside a running service too: its embedded database serves a second process. */
function openDatabase({ database }: Environment): Promise<Database> {
  return Database.open(database, { join: true });
}

function requiredOwner(owner: string | undefined): string {
  if (!isOwnerId(owner)) throw new UsageError('Say whose: --owner <sub>, 1 to 255 characters.');
  return owner;
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
  const result = await command(loadEnvironment(process.env), { owner, 'api-key': apiKey });
  return json ? JSON.stringify(result) : readable(result);
}

function readable(result: Result): string {
  const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(12)}${[value].flat().join(', ') || '-'}`);
  return lines.join('\n');
}

try {
  console.log(await main());
} catch (error) {
  exitWith(error);
}
