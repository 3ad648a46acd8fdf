import { ScopeSet } from '../principals/scope-set.js';
import { type Scope, scopesOf } from '../principals/scopes.js';

/** By the list of a verdict, which the guard shares between keys. */
const sets = new WeakMap<readonly string[], ScopeSet>();
const NONE: readonly string[] = [];

/** The scopes of a verdict by their flat names, as answers show them. */
export function scopeSetOf(names: readonly string[] = NONE): ScopeSet {
  let set = sets.get(names);
  if (!set) sets.set(names, (set = ScopeSet.of(scopesOf(names as readonly Scope[]))));
  return set;
}
