import { createPublicKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { decodeJwt, decodeProtectedHeader, type JWSHeaderParameters } from 'jose';
import { Clock } from '../../clock.js';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { startStep } from '../../config/start-steps.js';
import { hasSigned } from './has-signed.js';
import { type KeySetProblem, RemoteKeySet } from './remote-key-set.js';
import { SessionRefusedError } from './session-refusal.js';

/** The public keys that verify sessions: those of the configuration, or of a key set. */
@Injectable()
export class SessionKeys {
  private readonly keySet: RemoteKeySet | undefined;
  private readonly find: FindKey;

  constructor(@Inject(ENVIRONMENT) { session }: Environment, clock: Clock) {
    const { keySource: source, keySetMaxAgeSeconds: maxAge, algorithms } = session;
    this.keySet = 'jwksUrl' in source ? new RemoteKeySet(source.jwksUrl, maxAge, clock) : undefined;
    this.find = 'jwksUrl' in source ? fromKeySet(this.keySet as RemoteKeySet, algorithms) : ofPems(source.publicKeys);
  }

  /**
   * The key that signed a token.
   *
   * @throws SessionRefusedError if none did, UnavailableError if the keys cannot be fetched
   */
  async keyOf(token: string): Promise<KeyObject> {
    return this.find(readableHeader(token), token);
  }

  /** Fetches the key set, if one is configured, so that its problems are logged at the start. */
  async prepare(): Promise<void> {
    if (this.keySet) await startStep('the key set of JWT_JWKS_URL', this.keySet.prepare());
  }

  /** The key set's problem; `undefined` without one, or without a key set. */
  async problem(): Promise<KeySetProblem | undefined> {
    return this.keySet?.problem();
  }
}

type FindKey = (header: JWSHeaderParameters, token: string) => Promise<KeyObject>;

/** While the account service's key is replaced there are two: the one that signed the token counts. */
function ofPems(pems: readonly string[]): FindKey {
  const keys = pems.map((pem) => createPublicKey(pem));
  const [only, ...others] = keys;
  if (only && others.length === 0) return () => Promise.resolve(only);
  return async (_header, token) => {
    for (const key of keys) if (await hasSigned(key, token)) return key;
    throw new SessionRefusedError('signature', 'is of no key in JWT_PUBLIC_KEY');
  };
}

/** A token that no key of the set signed may be signed with a new key, so the set is fetched again. */
function fromKeySet(keySet: RemoteKeySet, algorithms: readonly string[]): FindKey {
  return async (header, token) => {
    // Invalid under any key, so nothing is fetched
    if (!algorithms.includes(header.alg ?? ''))
      throw new SessionRefusedError('alg', `is not one of ${algorithms.join(', ')}`);
    const signer = await keySet.find((set) => set.signerOf(token, header));
    if (!signer) throw new SessionRefusedError('signature', 'is of no key in the set at JWT_JWKS_URL');
    return signer;
  };
}

/** `crit` lists extensions that must be understood (RFC 7515, 4.1.11); we understand none. */
function readableHeader(token: string): JWSHeaderParameters {
  const header = decodedHeader(token);
  if (!header) throw new SessionRefusedError('form', 'is not that of a JWT');
  if (header.crit !== undefined)
    throw new SessionRefusedError('form', 'has crit in its header, which is not supported');
  return header;
}

function decodedHeader(token: string): JWSHeaderParameters | undefined {
  try {
    // Throws unless the claims are an object, which `jsonwebtoken` takes for granted
    decodeJwt(token);
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}
