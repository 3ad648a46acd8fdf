/**
 * The scopes of W3IPFS, declared once: the DTOs, the OpenAPI document and the
 * flat names (`pinning.unpin`) are all derived from this tree.
 */
export const SCOPE_TREE = {
  data: ['pin_list', 'nft_list'],
  pinning: ['unpin', 'pin_by_hash', 'pin_file_to_ipfs'],
  pin_nft: ['unpin_nft', 'pin_nft_to_ipfs'],
} as const;

export type ScopeGroup = keyof typeof SCOPE_TREE;

type FlagOf<G extends ScopeGroup> = (typeof SCOPE_TREE)[G][number];

export type GroupFlags<G extends ScopeGroup> = Record<FlagOf<G>, boolean>;

/** The flat name of a scope: `admin`, or its group and flag, `pinning.unpin`. */
export type Scope = 'admin' | { [G in ScopeGroup]: `${G}.${FlagOf<G>}` }[ScopeGroup];

/** The nested object with everything present, as an effective set of scopes is shown. */
export type Scopes = { admin: boolean } & { [G in ScopeGroup]: GroupFlags<G> };

/** The nested object as a client may give it: with `admin: true` the rest may be left out. */
export type GivenScopes = { admin: boolean } & { [G in ScopeGroup]?: Partial<GroupFlags<G>> };

const SCOPE_GROUPS = Object.keys(SCOPE_TREE) as ScopeGroup[];

/** The flat names of all scopes. */
export const SCOPES: readonly Scope[] = [
  'admin',
  ...SCOPE_GROUPS.flatMap((group) => SCOPE_TREE[group].map((flag) => `${group}.${flag}` as Scope)),
];

const SCOPE_SET: ReadonlySet<unknown> = new Set(SCOPES);

/** Where in the tree a flat name leads. */
const PLACES: ReadonlyMap<string, { group: ScopeGroup; flag: string }> = new Map(
  SCOPE_GROUPS.flatMap((group) => SCOPE_TREE[group].map((flag) => [`${group}.${flag}`, { group, flag }])),
);

export function isScope(name: unknown): name is Scope {
  return SCOPE_SET.has(name);
}

export const ADMIN_SCOPES: GivenScopes = { admin: true };

/** What the given scopes amount to: the full tree, all `true` for an admin key. */
export function effectiveScopes(given: GivenScopes): Scopes {
  const groups = SCOPE_GROUPS.map((group) => [group, effectiveFlags(given, group)]);
  return { admin: given.admin, ...Object.fromEntries(groups) };
}

/** The scopes as they were given, in the tree's order: neither a client's JSON nor `jsonb` keeps it. */
export function inTreeOrder(given: GivenScopes): GivenScopes {
  const groups = SCOPE_GROUPS.flatMap((group) => {
    const flags: Record<string, boolean> | undefined = given[group];
    return flags ? [[group, flagsInOrder(flags, SCOPE_TREE[group])]] : [];
  });
  return { admin: given.admin, ...Object.fromEntries(groups) };
}

/** The least object that gives a scope: `{"pinning": {"unpin": true}}`. */
export function scopeObject(scope: Scope): object {
  const place = PLACES.get(scope);
  return place ? { [place.group]: { [place.flag]: true } } : { admin: true };
}

/** The flat names of all that the given scopes allow. */
export function grantedScopes(given: GivenScopes): Scope[] {
  return SCOPES.filter((scope) => allows(given, scope));
}

/** Whether the given scopes allow what `scope` names; `admin` implies every scope. */
export function allows(given: GivenScopes, scope: Scope): boolean {
  if (given.admin || scope === 'admin') return given.admin;
  const place = PLACES.get(scope);
  if (!place) return false;
  const flags: Record<string, boolean> = given[place.group] ?? {};
  return flags[place.flag] === true;
}

function flagsInOrder(flags: Record<string, boolean>, order: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(order.flatMap((flag) => (flags[flag] === undefined ? [] : [[flag, flags[flag]]])));
}

function effectiveFlags(given: GivenScopes, group: ScopeGroup): Record<string, boolean> {
  const flags: Record<string, boolean> = given[group] ?? {};
  return Object.fromEntries(SCOPE_TREE[group].map((flag) => [flag, given.admin || flags[flag] === true]));
}
