import { effectiveScopes, type GivenScopes, grantedScopes, type Scope, SCOPES, type Scopes } from './scopes.js';

/**
 * What a key may do, as every answer about it needs it. There is one object for each combination of scopes, 256 at
 * the most, which all keys share.
 */
export class ScopeSet {
  private static readonly known: (ScopeSet | undefined)[] = [];

  /** The full tree; it is shared, so nobody may change it. */
  readonly effective: Scopes;
  /** The same as JSON. */
  readonly json: string;
  /** The flat names of what is granted, with a space between them. */
  readonly names: string;

  private constructor(private readonly mask: number) {
    const granted = SCOPES.filter((_, bit) => (mask & (1 << bit)) !== 0);
    this.effective = effectiveScopes(scopesOf(granted));
    this.json = JSON.stringify(this.effective);
    this.names = granted.join(' ');
  }

  /** Members that are missing are not granted. */
  static of(given: GivenScopes): ScopeSet {
    let mask = 0;
    for (const scope of grantedScopes(given)) mask |= BITS[scope];
    return (ScopeSet.known[mask] ??= new ScopeSet(mask));
  }

  /** Whether all of the scopes are granted. */
  allows(scopes: readonly Scope[]): boolean {
    for (const scope of scopes) if ((this.mask & BITS[scope]) === 0) return false;
    return true;
  }
}

const BITS = Object.fromEntries(SCOPES.map((scope, bit) => [scope, 1 << bit])) as Record<Scope, number>;

function scopesOf(granted: readonly Scope[]): GivenScopes {
  const given: Record<string, unknown> = { admin: granted.includes('admin') };
  for (const scope of granted) {
    const [group, flag] = scope.split('.');
    if (group !== undefined && flag !== undefined) given[group] = { ...(given[group] as object), [flag]: true };
  }
  return given as GivenScopes;
}
