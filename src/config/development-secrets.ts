import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DataDirError } from './start-error.js';
import { secureDataDir } from './data-dir.js';

const secretsFile = z.object({
  credential_key: z.base64().length(44),
  service_token: z.string().min(32),
  session_private_key: z.string(),
});

/** The secrets that a development installation generates for itself. */
export interface DevelopmentSecrets {
  /** base64 of 32 bytes. */
  credentialKey: string;
  serviceToken: string;
  /** RSA, PKCS #8 in PEM; signs the sessions of `npm run keys -- session`. */
  sessionPrivateKey: string;
}

/**
 * What to do if secrets are missing: `create` and store them, to issue or verify with them; generate `ephemeral` ones
 * for a command whose result does not depend on them; or `reject` a command whose result does.
 */
export type MissingSecretsPolicy = 'create' | 'ephemeral' | 'reject';

/**
 * Reads the secrets of the data folder, and creates them on the first call (file mode 0600). Processes that start
 * concurrently get the same ones.
 *
 * @throws DataDirError if the folder belongs to another user, or has a database but not the secrets of its keys
 * @throws Error naming the file, if it is invalid or cannot be read or written
 */
export function developmentSecrets(dataDir: string, missing: MissingSecretsPolicy): DevelopmentSecrets {
  const file = join(dataDir, 'secrets.json');
  if (!existsSync(file) && missing === 'ephemeral') return toSecrets(generateSecrets());
  if (!existsSync(file) && missing === 'reject') {
    throw new Error(`CREDENTIAL_KEYS is not set and ${dataDir} has no secrets.json`);
  }
  // Before reading: another user could have written the file
  secureDataDir(dataDir);
  if (!existsSync(file)) {
    assertNoDatabase(dataDir);
    writeSecrets(file);
  }
  return toSecrets(readSecrets(file));
}

/** New secrets would invalidate every key of an existing database. */
function assertNoDatabase(dataDir: string): void {
  if (!existsSync(join(dataDir, 'postgres'))) return;
  throw new DataDirError(
    `DATA_DIR: ${dataDir} has a database but no secrets.json, so its keys cannot be verified. Restore that file from the ` +
      `same backup; or set CREDENTIAL_KEYS, SERVICE_TOKENS and JWT_PUBLIC_KEY; or choose a new folder`,
  );
}

function toSecrets(secrets: z.infer<typeof secretsFile>): DevelopmentSecrets {
  return {
    credentialKey: secrets.credential_key,
    serviceToken: secrets.service_token,
    sessionPrivateKey: secrets.session_private_key,
  };
}

/** Writes a draft and links it into place: a link is atomic, and fails if the file exists. */
function writeSecrets(file: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(generateSecrets(), null, 2), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

function generateSecrets(): z.infer<typeof secretsFile> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    credential_key: randomBytes(32).toString('base64'),
    service_token: randomBytes(32).toString('base64url'),
    session_private_key: privateKey,
  };
}

function readSecrets(file: string): z.infer<typeof secretsFile> {
  try {
    const secrets = secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    createPrivateKey(secrets.session_private_key);
    return secrets;
  } catch {
    // The parser's own message would quote the secrets
    throw new Error(`${file} does not contain valid secrets; restore it, or choose a new DATA_DIR`);
  }
}
