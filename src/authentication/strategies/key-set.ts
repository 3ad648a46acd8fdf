import { createPublicKey, type JsonWebKey, KeyObject, type webcrypto } from 'node:crypto';
import { createLocalJWKSet, errors, type JWK, type JWSHeaderParameters } from 'jose';
import { hasSigned } from './has-signed.js';

/** The members of private keys and secrets that public keys lack (RFC 7518, 6.2.2, 6.3.2 and 6.4). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
/** RFC 7518, 3.3. */
const MIN_RSA_BITS = 2_048;

/** The public keys of a JSON Web Key Set (RFC 7517). Keys that cannot be read are ignored (section 5). */
export class KeySet {
  /** The positions, from 1, of private keys in the set; only their public half is kept. */
  readonly privateKeys: readonly number[];
  /** Whether the set can verify any session. */
  readonly isUsable: boolean;
  private readonly find: ReturnType<typeof createLocalJWKSet>;

  /** @param published the parsed JSON @throws TypeError if it is not a JSON Web Key Set */
  constructor(published: unknown) {
    const members = (published as { keys?: unknown } | null)?.keys;
    if (!Array.isArray(members)) throw new TypeError('not a JSON Web Key Set');
    const keys = members.filter(isObject);
    this.privateKeys = keys.flatMap((key, index) => (isPrivate(key) ? [index + 1] : []));
    const publicKeys = keys.map((key) => (isPrivate(key) ? publicHalf(key) : key));
    this.isUsable = publicKeys.some(canVerify);
    this.find = createLocalJWKSet({ keys: publicKeys });
  }

  /** The key that signed a token, of those that match its header; `undefined` if none of them did. */
  async signerOf(token: string, header: JWSHeaderParameters): Promise<KeyObject | undefined> {
    for await (const key of this.candidates(header)) {
      const candidate = KeyObject.from(key);
      if (isStrong(candidate) && (await hasSigned(key, token))) return candidate;
    }
    return undefined;
  }

  /** Tokens of the account service have no `kid`: while its keys are rotated, several may match. */
  private async *candidates(header: JWSHeaderParameters): AsyncIterable<webcrypto.CryptoKey> {
    try {
      yield await this.find(header);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) yield* error;
      // No key matches, or the match is not a valid key
    }
  }
}

function isObject(member: unknown): member is JWK {
  return typeof member === 'object' && member !== null && !Array.isArray(member);
}

function isPrivate(key: JWK): boolean {
  return PRIVATE_MEMBERS.some((name) => key[name] !== undefined);
}

/** Whether it is a public key for signatures (RFC 7517, 4.2 and 4.3), and strong enough. */
function canVerify(key: JWK): boolean {
  if ((key.use ?? 'sig') !== 'sig' || key.key_ops?.includes('verify') === false) return false;
  try {
    return isStrong(createPublicKey({ key: key as JsonWebKey, format: 'jwk' }));
  } catch {
    return false;
  }
}

/** Without `key_ops`, which may be `sign`: the public half verifies. */
function publicHalf(key: JWK): JWK {
  const { key_ops: _, ...rest } = key;
  for (const name of PRIVATE_MEMBERS) delete rest[name];
  return rest;
}

function isStrong({ asymmetricKeyDetails: details }: KeyObject): boolean {
  return (details?.modulusLength ?? MIN_RSA_BITS) >= MIN_RSA_BITS;
}
