import type { CallingKey } from './caller.js';
import { ADMIN_SCOPES, type Scope, type Scopes, allows, effectiveScopes } from './scopes.js';

/** An authenticated caller: an owner's session, which has all rights on its keys, or one of its API keys. */
export class Principal {
  private constructor(
    readonly ownerId: string,
    /** `null` for a session. */
    readonly apiKey: CallingKey | null,
  ) {}

  static session(ownerId: string): Principal {
    return new Principal(ownerId, null);
  }

  static apiKey(apiKey: CallingKey): Principal {
    return new Principal(apiKey.ownerId, apiKey);
  }

  /** Its name in audit events, which belong to one owner. */
  get actor(): string {
    return this.apiKey ? `key:${this.apiKey.id}` : 'session';
  }

  /** Identifies it in logs and counters: all sessions of an owner as one, each API key separately. */
  get actorId(): string {
    return this.apiKey ? `key:${this.apiKey.id}` : `session:${this.ownerId}`;
  }

  get effectiveScopes(): Scopes {
    return effectiveScopes(this.apiKey?.scopes ?? ADMIN_SCOPES);
  }

  may(scope: Scope): boolean {
    return allows(this.apiKey?.scopes ?? ADMIN_SCOPES, scope);
  }
}

/** The `sub` of a session: 1 to 255 characters, neither control characters nor lone surrogates. */
export function isOwnerId(sub: unknown): sub is string {
  return typeof sub === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub);
}
