import type { ApiKey } from '../api-keys/api-key.entity.js';
import { ADMIN_SCOPES, type Scope, type Scopes, allows, effectiveScopes } from '../api-keys/scopes.js';

/** Who is calling: an owner's session, which may do everything with its keys, or one of its API keys. */
export class Principal {
  private constructor(
    readonly ownerId: string,
    /** `null` for a session. */
    readonly apiKey: ApiKey | null,
    /** Which of the key's secrets was presented, counted by its rotations; 0 for a session. */
    readonly secretGeneration: number,
  ) {}

  static session(ownerId: string): Principal {
    return new Principal(ownerId, null, 0);
  }

  /** @param secretGeneration of the secret that was presented */
  static apiKey(apiKey: ApiKey, secretGeneration = apiKey.secretGeneration): Principal {
    return new Principal(apiKey.ownerId, apiKey, secretGeneration);
  }

  /** What audit events call it. */
  get actor(): string {
    return this.apiKey ? `key:${this.apiKey.id}` : 'session';
  }

  /** What it is counted under: its owner's sessions together, each API key for itself. */
  get reference(): string {
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
