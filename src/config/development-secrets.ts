import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
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
 * Reads the secrets of the data folder, making them at the first call (file mode 0600).
 * However many processes start at once, all get the same.
 *
 * @throws DataDirError if the folder is not this user's alone
 * @throws Error naming the file, if it cannot be read or written or does not hold what it should
 */
export function developmentSecrets(dataDir: string): DevelopmentSecrets {
  // What others could have written there is not read
  secureDataDir(dataDir);
  const file = join(dataDir, 'secrets.json');
  if (!existsSync(file)) create(file);
  const secrets = parse(file);
  return {
    credentialKey: secrets.credential_key,
    serviceToken: secrets.service_token,
    sessionPrivateKey: secrets.session_private_key,
  };
}

/** Written aside and linked into place: a link is atomic, and fails where the file exists already. */
function create(file: string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(generate(), null, 2), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

function generate(): z.infer<typeof secretsFile> {
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

function parse(file: string): z.infer<typeof secretsFile> {
  try {
    const secrets = secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
    createPrivateKey(secrets.session_private_key);
    return secrets;
  } catch {
    // What was read is secret, and the parser's own message would quote it
    throw new Error(`${file} cannot be read as this service's secrets; restore it, or start on a new DATA_DIR`);
  }
}
