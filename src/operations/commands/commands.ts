import { resolve } from 'node:path';
import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';
import { KeyIssuer } from '../../api-keys/issuing/key-issuer.js';
import { OPERATOR } from '../../principals/audit-source.js';
import { operatorFor } from '../../principals/caller.js';
import { ApiKeyNotFoundError } from '../../api-keys/errors.js';
import { Revocations } from '../../api-keys/revocation/revocations.js';
import { ADMIN_SCOPES } from '../../principals/scopes.js';
import { AppModule } from '../../app.module.js';
import { type AcceptanceRequest, acceptProblem, NotAcceptableError } from '../../audit/accept-problem.js';
import { checkAudit } from '../../audit/audit-check.js';
import type { Environment } from '../../config/environment.js';
import { withinStartTime } from '../../config/start-steps.js';
import { copyDatabase, DatabaseNotEmptyError } from '../../database/copy-database.js';
import { Database, type OpenOptions } from '../../database/database.js';
import { acceptance, auditReport } from './audit-report.js';
import { ENTITIES } from '../../entities.js';
import { onDatabase } from '../lifecycle/database-failure.js';
import { signSession } from '../lifecycle/development-session.js';
import { UsageError } from '../lifecycle/exit.js';
import { tellInWords } from '../../logging/standard-streams.js';
import { findSigners, signersReport } from './signed-by.js';
import { line, Worded } from './worded.js';

/** What a command has to show, in the names of the HTTP contract. */
export type Result = Fields | Worded;

type Fields = Record<string, string | string[]>;

/** Beside a running service too: its embedded database serves a second process. One that is not there is not made. */
const VISITOR: OpenOptions = { create: false, migrate: false, join: true, entities: ENTITIES };
/** For the very first key: like the service, it makes the embedded one where there is none. */
const MAKER: OpenOptions = { ...VISITOR, create: true };

/** Issues an admin key for an account. */
export function issueAdmin(environment: Environment, owner: string): Promise<Result> {
  return withService(environment, MAKER, KeyIssuer, async (issuer) => {
    const request = { name: 'Admin key', scopes: ADMIN_SCOPES };
    const { data } = await issuer.issue(operatorFor(owner), request);
    const { id, api_key, secret_key, credential } = data;
    return { id, owner_id: owner, api_key, secret_key, credential };
  });
}

/** Signs a session token, with the key that the service made itself. @throws UsageError where it made none */
export function session({ developmentSessionKey }: Environment, owner: string): Result {
  if (!developmentSessionKey) {
    throw new UsageError('Sessions are signed by the account service here: JWT_PUBLIC_KEY or JWT_JWKS_URL is set.');
  }
  return { owner_id: owner, token: signSession(developmentSessionKey, owner) };
}

/** Revokes a key, whoever owns it. */
export function revoke(environment: Environment, apiKey: string): Promise<Result> {
  return withService(environment, VISITOR, Revocations, async (revocations) => {
    if (!(await revocations.revokeByIdentifier(apiKey, 'operator', OPERATOR))) throw new ApiKeyNotFoundError(apiKey);
    return { api_key: apiKey, status: 'revoked' };
  });
}

/** Finds events of the audit trail that were altered, removed or inserted, and lets the process exit with 1 then. */
export async function verifyAudit(environment: Environment): Promise<Result> {
  const database = await openDatabase(environment, VISITOR);
  try {
    const report = await checkAudit(database.dataSource);
    if (report.problems.length > 0) process.exitCode = 1;
    return auditReport(report);
  } finally {
    await database.close();
  }
}

/** Accepts what is wrong with one event, so that it no longer hides what happens to others. */
export async function acceptAuditOffence(
  environment: Environment,
  request: Omit<AcceptanceRequest, 'at'>,
): Promise<Result> {
  const database = await openDatabase(environment, VISITOR);
  try {
    const { problem: offence, event } = await acceptProblem(database.dataSource, { ...request, at: new Date() });
    return acceptance(offence, event);
  } catch (error) {
    throw error instanceof NotAcceptableError ? new UsageError(error.message) : error;
  } finally {
    await database.close();
  }
}

/** Tells which of `CREDENTIAL_KEYS` have signed which secrets: when one of them may be taken out. */
export async function signedBy(environment: Environment): Promise<Result> {
  const database = await openDatabase(environment, VISITOR);
  try {
    return signersReport(await findSigners(database.dataSource, new CredentialKeyring(environment).keys));
  } finally {
    await database.close();
  }
}

/** Brings the schema up to date. */
export async function migrate(environment: Environment): Promise<Result> {
  const database = await openDatabase(environment, { ...VISITOR, migrate: true });
  await database.close();
  const { migrated } = database;
  const text = migrated.length === 0 ? 'The schema was up to date.' : line('migrated', ...migrated);
  return new Worded({ migrated }, text);
}

/** Copies what is in an embedded database, which no process has open, into the server's. */
export async function importEmbedded(environment: Environment, folder: string): Promise<Result> {
  if (!('url' in environment.database)) throw new UsageError('Say where to: DATABASE_URL is not set.');
  const from = { dataDir: resolve(folder) };
  const source = await onDatabase(
    from,
    () => openDatabase({ database: from }, { ...VISITOR, join: false }),
    tellInWords,
  );
  try {
    const destination = await openDatabase(environment, VISITOR);
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

/** A result for people. */
export function readable(result: Result): string {
  if (result instanceof Worded) return result.text;
  return Object.entries(result)
    .map(([name, value]) => line(name, ...[value].flat()))
    .join('\n');
}

async function withService<T>(
  environment: Environment,
  options: OpenOptions,
  service: Type<T>,
  run: (service: T) => Promise<Result>,
): Promise<Result> {
  const module = AppModule.forRoot(environment, await openDatabase(environment, options));
  const created = NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const context = await withinStartTime(created);
  try {
    return await run(context.get(service, { strict: false }));
  } finally {
    await context.close();
  }
}

function openDatabase({ database }: Pick<Environment, 'database'>, options: OpenOptions): Promise<Database> {
  return withinStartTime(Database.open(database, options));
}
