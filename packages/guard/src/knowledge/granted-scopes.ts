import { InternPool } from './intern-pool.js';

const pool = new InternPool<GrantedScopes>();

/** The effective scopes of a key. Keys with equal scopes share one instance. */
export class GrantedScopes {
  private readonly set: ReadonlySet<string>;

  private constructor(readonly names: readonly string[]) {
    this.set = new Set(names);
  }

  static of(names: readonly string[]): GrantedScopes {
    return pool.get(names.join(' '), () => new GrantedScopes(Object.freeze([...names])));
  }

  get isAdmin(): boolean {
    return this.set.has('admin');
  }

  /** Whether all of the scopes are granted. */
  allows(scopes: readonly string[]): boolean {
    // Called for each request: an iterator would take half of its time
    for (let i = 0; i < scopes.length; i++) if (!this.set.has(scopes[i] as string)) return false;
    return true;
  }
}
