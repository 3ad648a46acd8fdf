import { randomUUID } from 'node:crypto';
import type { KeyPair } from '../src/decision/index.js';
import { pairOf } from './fake-pair.js';

interface FakeKey extends KeyPair {
  readonly keyId: string;
  scopes: string[];
  allowedCidrs: string[] | null;
  expiresInMs: number | null;
  which: 'current' | 'previous';
  overlapEndsInMs: number | null;
  forgetOn: string[];
  /** Why it must not be kept. */
  because: string | undefined;
  isRevoked: boolean;
}

type Edit = Partial<Omit<FakeKey, 'keyId' | keyof KeyPair>>;

/** The keys of a fake service. */
export class FakeKeys {
  private readonly keys = new Map<string, FakeKey>();

  add(edit: Edit = {}): FakeKey {
    const key: FakeKey = {
      ...pairOf(this.keys.size),
      keyId: randomUUID(),
      scopes: ['data.pin_list'],
      allowedCidrs: null,
      expiresInMs: null,
      which: 'current',
      overlapEndsInMs: null,
      forgetOn: [],
      because: undefined,
      isRevoked: false,
      ...edit,
    };
    this.keys.set(key.apiKey, key);
    return key;
  }

  edit(apiKey: string, edit: Edit): void {
    Object.assign(this.keys.get(apiKey) ?? {}, edit);
  }

  /** The answer of `POST /verify`. */
  verify(body: Record<string, unknown>, at: { position: string; epoch: string }): { status: number; data: unknown } {
    const key = this.keys.get(String(body['api_key']));
    if (!key || key.secretKey !== body['secret_key']) return refused('INVALID_CREDENTIALS');
    if (key.isRevoked) return refused('REVOKED');
    const scopes = [body['scope'] ?? []].flat() as string[];
    const isAllowed = scopes.every((scope) => key.scopes.includes(scope));
    const grant = grantOf(key, at);
    if (!isAllowed) return { status: 200, data: { valid: false, code: 'INSUFFICIENT_SCOPE', grant } };
    const tree = { admin: false, data: { pin_list: key.scopes.includes('data.pin_list') } };
    const limits = key.because === undefined ? { remaining_uses: null, rate_limit: null } : LIMITED;
    const about = { key_id: key.keyId, owner_id: 'owner', name: 'a key', scopes: tree, expires_at: null, ...limits };
    return { status: 200, data: { valid: true, code: 'VALID', ...about, grant } };
  }
}

const LIMITED = { remaining_uses: 4, rate_limit: { limit: 10, remaining: 9, reset_seconds: 60 } };

function refused(code: string) {
  return { status: 200, data: { valid: false, code } };
}

function grantOf(key: FakeKey, at: { position: string; epoch: string }): object {
  if (key.because !== undefined) return { cacheable: false, because: key.because };
  return {
    cacheable: true,
    ...at,
    key_id: key.keyId,
    owner_id: 'owner',
    name: 'a key',
    scopes: key.scopes,
    allowed_cidrs: key.allowedCidrs,
    expires_in_ms: key.expiresInMs,
    expires_at: key.expiresInMs === null ? null : new Date(Date.now() + key.expiresInMs).toISOString(),
    which: key.which,
    overlap_ends_in_ms: key.overlapEndsInMs,
    forget_on: key.forgetOn,
  };
}
