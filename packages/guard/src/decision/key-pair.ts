/** The credentials of a client: the public identifier of a key, and its secret. */
export interface KeyPair {
  /** 24 characters: `w3k_` and 20 of base62. */
  apiKey: string;
  /** 44 characters: `w3s_`, 30 of base62 and the tag, 10 of base62. */
  secretKey: string;
}

/** The pair as one string of 69 characters, for clients that can send only one. */
export function credentialOf({ apiKey, secretKey }: KeyPair): string {
  return `${apiKey}.${secretKey}`;
}

/** Whether a text is a credential, complete or not; no JSON Web Token starts like one (RFC 7519, 3.1). */
export function isCredential(text: string): boolean {
  return text.startsWith('w3k_');
}

/** The pair of a credential; without a dot, the secret is empty. */
export function pairOfCredential(credential: string): KeyPair {
  const dot = credential.indexOf('.');
  if (dot < 0) return { apiKey: credential, secretKey: '' };
  return { apiKey: credential.slice(0, dot), secretKey: credential.slice(dot + 1) };
}
