import { resolve } from 'node:path';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';
import { KeyIssuer } from '../../api-keys/issuing/key-issuer.js';
import { operatorFor } from '../../principals/caller.js';
import { OPERATOR } from '../../principals/audit-source.js';
import { ApiKeyNotFoundError } from '../../api-keys/errors.js';
import { Revocations } from '../../api-keys/revocation/revocations.js';
import { ADMIN_SCOPES } from '../../principals/scopes.js';
import { AppModule } from '../../app.module.js';
import { type AcceptanceRequest, acceptProblem, NotAcceptableError } from '../../audit/accept-problem.js';
import { checkAudit } from '../../audit/audit-check.js';
import type { Environment } from '../../config/environment.js';
import { withStartDeadline } from '../../config/start-steps.js';
import { copyDatabase, DatabaseNotEmptyError } from '../../database/copy-database.js';
import { Database, type OpenOptions } from '../../database/database.js';
import { acceptanceReport, auditReport } from './audit-report.js';
import { ENTITIES } from '../../entities.js';
import { withDatabaseErrors } from '../lifecycle/database-failure.js';
import { signSession } from '../lifecycle/development-session.js';
import { UsageError } from '../lifecycle/exit.js';
import { writePlainLine } from '../../logging/standard-streams.js';
import { findSigners, signersReport } from './signed-by.js';
import { reportLine, CommandReport } from './command-report.js';

/** The result of a command, with the field names of the HTTP contract. */
export type CommandResult = Fields | CommandReport;

type Fields = Record<string, string | string[]>;

/** Joins the embedded database of a running service if necessary, and creates none. */
const EXISTING_DATABASE: OpenOptions = { create: false, migrate: false, join: true, entities: ENTITIES };
/** For the first key: like the service, creates an embedded database if there is none. */
const EXISTING_OR_NEW_DATABASE: OpenOptions = { ...EXISTING_DATABASE, create: true };

/** Issues an admin key for an account. */
export function issueAdmin(environment: Environment, owner: string): Promise<CommandResult> {
  return withService(environment, EXISTING_OR_NEW_DATABASE, KeyIssuer, async (issuer) => {
    const request = { name: 'Admin key', scopes: ADMIN_SCOPES };
    const { data } = await issuer.issue(operatorFor(owner), request);
    const { id, api_key, secret_key, credential } = data;
    return { id, owner_id: owner, api_key, secret_key, credential };
  });
}

/** Signs a session token with the key that the service generated. @throws UsageError if it did not generate one */
export function session({ developmentSessionKey }: Environment, owner: string): CommandResult {
  if (!developmentSessionKey) {
    throw new UsageError(
      'The account service signs sessions, since JWT_PUBLIC_KEY or JWT_JWKS_URL is set: get one there.',
    );
  }
  return { owner_id: owner, token: signSession(developmentSessionKey, owner) };
}

/** Revokes a key of any owner. */
export function revoke(environment: Environment, apiKey: string): Promise<CommandResult> {
  return withService(environment, EXISTING_DATABASE, Revocations, async (revocations) => {
    if (!(await revocations.revokeByIdentifier(apiKey, 'operator', OPERATOR))) throw new ApiKeyNotFoundError(apiKey);
    return { api_key: apiKey, status: 'revoked' };
  });
}

/** Finds events of the audit trails that were altered, removed or inserted; the exit code is then 1. */
export async function verifyAudit(environment: Environment): Promise<CommandResult> {
  const database = await openDatabase(environment, EXISTING_DATABASE);
  try {
    const report = await checkAudit(database.dataSource);
    if (report.problems.length > 0) process.exitCode = 1;
    return auditReport(report);
  } finally {
    await database.close();
  }
}

/** Accepts a problem of one event, so that it no longer hides new ones. */
export async function acceptAuditProblem(
  environment: Environment,
  request: Omit<AcceptanceRequest, 'at'>,
): Promise<CommandResult> {
  const database = await openDatabase(environment, EXISTING_DATABASE);
  try {
    const { problem, event } = await acceptProblem(database.dataSource, { ...request, at: new Date() });
    return acceptanceReport(problem, event);
  } catch (error) {
    throw error instanceof NotAcceptableError ? new UsageError(error.message) : error;
  } finally {
    await database.close();
  }
}

/** Counts secrets by the entry of `CREDENTIAL_KEYS` that signed them, to see when an entry may be removed. */
export async function signedBy(environment: Environment): Promise<CommandResult> {
  const database = await openDatabase(environment, EXISTING_DATABASE);
  try {
    return signersReport(await findSigners(database.dataSource, new CredentialKeyring(environment).keys));
  } finally {
    await database.close();
  }
}

/** Runs pending migrations. */
export async function migrate(environment: Environment): Promise<CommandResult> {
  const database = await openDatabase(environment, { ...EXISTING_DATABASE, migrate: true });
  await database.close();
  const { migrated } = database;
  const text = migrated.length === 0 ? 'The schema is up to date.' : reportLine('migrated', ...migrated);
  return new CommandReport({ migrated }, text);
}

/** Copies an embedded database, which no process may have open, to the server of `DATABASE_URL`. */
export async function importEmbedded(environment: Environment, folder: string): Promise<CommandResult> {
  if (!('url' in environment.database))
    throw new UsageError('DATABASE_URL is not set: set it to the database to import into.');
  const from = { dataDir: resolve(folder) };
  const source = await withDatabaseErrors(
    from,
    () => openDatabase({ database: from }, { ...EXISTING_DATABASE, join: false }),
    writePlainLine,
  );
  try {
    const destination = await openDatabase(environment, EXISTING_DATABASE);
    try {
      const counts = await copyDatabase(source.dataSource, destination.dataSource);
      return Object.fromEntries(Object.entries(counts).map(([table, count]) => [table, String(count)]));
    } finally {
      await destination.close();
    }
  } catch (error) {
    throw error instanceof DatabaseNotEmptyError ? new UsageError(error.message) : error;
  } finally {
    await source.close();
  }
}

/** Formats a result as text for people. */
export function formatResult(result: CommandResult): string {
  if (result instanceof CommandReport) return result.text;
  return Object.entries(result)
    .map(([name, value]) => reportLine(name, ...[value].flat()))
    .join('\n');
}

async function withService<T>(
  environment: Environment,
  options: OpenOptions,
  service: Type<T>,
  run: (service: T) => Promise<CommandResult>,
): Promise<CommandResult> {
  const module = AppModule.forRoot(environment, await openDatabase(environment, options));
  const created = NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const context = await withStartDeadline(created);
  try {
    return await run(context.get(service, { strict: false }));
  } finally {
    await context.close();
  }
}

function openDatabase({ database }: Pick<Environment, 'database'>, options: OpenOptions): Promise<Database> {
  return withStartDeadline(Database.open(database, options));
}
