import { existsSync, writeFileSync } from 'node:fs';
import type { KeyIssuer } from '../../api-keys/issuing/key-issuer.js';
import { operatorFor } from '../../principals/caller.js';
import { ADMIN_SCOPES } from '../../principals/scopes.js';
import type { Environment } from '../../config/environment.js';
import { firstRunMarkIn } from '../../database/embedded-folder.js';
import { signSession } from './development-session.js';

/** The owner of the first key; any other `sub` works as well. */
const FIRST_OWNER = '00000000-0000-4000-8000-000000000001';

const SIGNED_ELSEWHERE = '(sessions are signed elsewhere: JWT_PUBLIC_KEY or JWT_JWKS_URL is set)';

/**
 * On the first start with a data folder, issues the first admin key and prints everything needed to try the service;
 * later starts print how to get new secrets. A mark in the folder, written after printing, makes sure of that.
 */
export async function printFirstRunGuide(environment: Environment, issuer: KeyIssuer, url: string): Promise<void> {
  if ('url' in environment.database) return;
  const mark = firstRunMarkIn(environment.database.dataDir);
  if (existsSync(mark)) {
    process.stdout.write(reminder(environment));
    return;
  }
  process.stdout.write(await issueFirstKey(environment, issuer, url));
  writeFileSync(mark, new Date().toISOString());
}

/** The commands assume the folder and the variables that the service was started with. */
function reminder({ developmentSessionKey }: Environment): string {
  const session = `npm run keys -- session --owner ${FIRST_OWNER}`;
  return `
This is not the first start: the secrets that it printed cannot be retrieved. To get new ones, in another terminal:

  admin key       npm run keys -- issue-admin --owner ${FIRST_OWNER}
  session token   ${developmentSessionKey ? session : SIGNED_ELSEWHERE}

`;
}

async function issueFirstKey(environment: Environment, issuer: KeyIssuer, url: string): Promise<string> {
  const { data: key } = await issuer.issue(operatorFor(FIRST_OWNER), {
    name: 'First admin key',
    scopes: ADMIN_SCOPES,
  });
  const session = environment.developmentSessionKey && signSession(environment.developmentSessionKey, FIRST_OWNER);
  return `
This is the first start. The following is printed only once; the secret and the tokens cannot be retrieved later.

  owner           ${FIRST_OWNER}
  api_key         ${key.api_key}
  secret_key      ${key.secret_key}
  credential      ${key.credential}
  service token   ${environment.developmentServiceToken ?? '(yours: SERVICE_TOKENS is set)'}
  session token   ${session ?? SIGNED_ELSEWHERE}

Issue a key with them:

  curl -X POST '${url}/api/apiKeys/' \\
    -H 'pinning_api_key: ${key.api_key}' \\
    -H 'pinning_secret_key: ${key.secret_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{"name": "my first key", "scopes": {"admin": true}}'

`;
}
