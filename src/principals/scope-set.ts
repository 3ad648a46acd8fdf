import {
  effectiveScopes,
  type GivenScopes,
  grantedScopes,
  type Scope,
  SCOPES,
  type Scopes,
  scopesOf,
} from './scopes.js';

/**
 * The scopes of a key, in the forms that responses need. Keys with the same effective scopes share one instance, so there
 * are at most as many instances as combinations.
 */
export class ScopeSet {
  /** By mask. */
  private static readonly instances = new Map<number, ScopeSet>();

  /** The complete tree. Shared: must not be changed. */
  readonly effective: Scopes;
  /** The same as JSON. */
  readonly json: string;
  /** The flat names of the granted scopes, separated by spaces. */
  readonly names: string;

  private constructor(private readonly mask: number) {
    const granted = SCOPES.filter((scope) => (mask & BITS[scope]) !== 0);
    this.effective = effectiveScopes(scopesOf(granted));
    this.json = JSON.stringify(this.effective);
    this.names = granted.join(' ');
  }

  /** Missing flags are not granted. */
  static of(given: GivenScopes): ScopeSet {
    let mask = 0;
    for (const scope of grantedScopes(given)) mask |= BITS[scope];
    let instance = ScopeSet.instances.get(mask);
    if (!instance) ScopeSet.instances.set(mask, (instance = new ScopeSet(mask)));
    return instance;
  }

  /** Whether all of the scopes are granted. */
  allows(scopes: readonly Scope[]): boolean {
    for (const scope of scopes) if ((this.mask & BITS[scope]) === 0) return false;
    return true;
  }
}

/** One bit for each scope: bitwise operators take 32. */
const BITS = Object.fromEntries(SCOPES.map((scope, bit) => [scope, 1 << bit])) as Record<Scope, number>;
