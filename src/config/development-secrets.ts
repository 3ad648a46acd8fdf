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

/** The secrets that an installation for development makes for itself. */
export interface DevelopmentSecrets {
  /** base64 of 32 bytes. */
  credentialKey: string;
  serviceToken: string;
  /** RSA, PKCS #8 in PEM: signs the sessions of `npm run keys -- session`. */
  sessionPrivateKey: string;
}

/**
 * What becomes of secrets that are missing: they are made and kept, by who issues or verifies with them; made for the one call,
 * where nothing depends on them; or what depends on those that were there is refused.
 */
export type MissingSecretsPolicy = 'make' | 'invent' | 'refuse';

/**
 * Reads the secrets of the data folder, making them at the first call (file mode 0600).
 * However many processes start at once, all get the same.
 *
 * @throws DataDirError if the folder is not this user's alone, or lacks the secrets that its database was made with
 * @throws Error naming the file, if it cannot be read or written or does not hold what it should
 */
export function developmentSecrets(dataDir: string, missing: MissingSecretsPolicy): DevelopmentSecrets {
  const file = join(dataDir, 'secrets.json');
  if (!existsSync(file) && missing === 'invent') return toSecrets(generateSecrets());
  if (!existsSync(file) && missing === 'refuse') {
    throw new Error(`CREDENTIAL_KEYS is not set, and there is no secrets.json in ${dataDir}`);
  }
  // What others could have written there is not read
  secureDataDir(dataDir);
  if (!existsSync(file)) {
    assertNoDatabase(dataDir);
    writeSecrets(file);
  }
  return toSecrets(readSecrets(file));
}

/** Its keys verify by the secrets that it was made with: new ones would refuse every one of them. */
function assertNoDatabase(dataDir: string): void {
  if (!existsSync(join(dataDir, 'postgres'))) return;
  throw new DataDirError(
    `DATA_DIR: ${dataDir} has a database and no secrets.json, without which its keys cannot be verified. Restore that file too, ` +
      `from the same backup; or set CREDENTIAL_KEYS, SERVICE_TOKENS and JWT_PUBLIC_KEY; or start on a new folder`,
  );
}

function toSecrets(secrets: z.infer<typeof secretsFile>): DevelopmentSecrets {
  return {
    credentialKey: secrets.credential_key,
    serviceToken: secrets.service_token,
    sessionPrivateKey: secrets.session_private_key,
  };
}

/** Written aside and linked into place: a link is atomic, and fails where the file exists already. */
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
    // What was read is secret, and the parser's own message would quote it
    throw new Error(`${file} cannot be read as this service's secrets; restore it, or start on a new DATA_DIR`);
  }
}
