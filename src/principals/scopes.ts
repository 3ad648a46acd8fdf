/**
 * The scopes of W3IPFS, declared once: DTOs, the OpenAPI document, examples and the flat names (`pinning.unpin`) are
 * derived from this tree. CONTRIBUTING.md says how to add one.
 */
export const SCOPE_TREE = {
  data: ['pin_list', 'nft_list'],
  pinning: ['unpin', 'pin_by_hash', 'pin_file_to_ipfs'],
  pin_nft: ['unpin_nft', 'pin_nft_to_ipfs'],
} as const;

/**
 * The scopes that a request may leave out, which means `false`. A client that names every flag it knows would otherwise
 * be rejected from the day the platform gets another. A scope leaves this list in the release whose changelog says that
 * it is required.
 */
export const NEW_SCOPES: readonly Scope[] = [];

/** The shape of `SCOPE_TREE`: the flags of each group. */
export type ScopeTree = Readonly<Record<string, readonly string[]>>;

type ScopeGroup = keyof typeof SCOPE_TREE;

type FlagOf<G extends ScopeGroup> = (typeof SCOPE_TREE)[G][number];

type GroupFlags<G extends ScopeGroup> = Record<FlagOf<G>, boolean>;

/** The flat name of a scope: `admin`, or its group and flag, `pinning.unpin`. */
export type Scope = 'admin' | { [G in ScopeGroup]: `${G}.${FlagOf<G>}` }[ScopeGroup];

/** The complete nested object, as effective scopes are shown. */
export type Scopes = { admin: boolean } & { [G in ScopeGroup]: GroupFlags<G> };

/** The nested object of a request: with `admin: true`, the rest is optional. */
export type GivenScopes = { admin: boolean } & { [G in ScopeGroup]?: Partial<GroupFlags<G>> };

const SCOPE_GROUPS = Object.keys(SCOPE_TREE) as ScopeGroup[];

/** The flat names of all scopes. */
export const SCOPES: readonly Scope[] = [
  'admin',
  ...SCOPE_GROUPS.flatMap((group) => SCOPE_TREE[group].map((flag) => `${group}.${flag}` as Scope)),
];

const SCOPE_NAMES: ReadonlySet<unknown> = new Set(SCOPES);

/** The group and the flag of each flat name but `admin`. */
const PATHS: ReadonlyMap<string, { group: ScopeGroup; flag: string }> = new Map(
  SCOPE_GROUPS.flatMap((group) => SCOPE_TREE[group].map((flag) => [`${group}.${flag}`, { group, flag }])),
);

export function isScope(name: unknown): name is Scope {
  return SCOPE_NAMES.has(name);
}

export const ADMIN_SCOPES: GivenScopes = { admin: true };

/** The complete tree that the given scopes amount to: all `true` for an admin key, missing flags `false` otherwise. */
export function effectiveScopes(given: GivenScopes): Scopes {
  const groups = SCOPE_GROUPS.map((group) => [group, effectiveFlags(given, group)]);
  return { admin: given.admin, ...Object.fromEntries(groups) };
}

/**
 * The scopes as answers show them: in the tree's order, which neither a client's JSON nor `jsonb` preserves. Those of an
 * admin key are as given; those of any other key are complete, also if the key is older than one of the scopes.
 */
export function normalizeScopes(given: GivenScopes): GivenScopes {
  if (!given.admin) return effectiveScopes(given);
  const groups = SCOPE_GROUPS.flatMap((group) => {
    const flags: Record<string, boolean> | undefined = given[group];
    return flags ? [[group, flagsInOrder(flags, SCOPE_TREE[group])]] : [];
  });
  return { admin: given.admin, ...Object.fromEntries(groups) };
}

/** The scopes with these flat names, and no others. */
export function scopesOf(names: readonly Scope[]): GivenScopes {
  const scopes: Record<string, unknown> = { admin: names.includes('admin') };
  for (const name of names) {
    const path = PATHS.get(name);
    if (path) scopes[path.group] = { ...(scopes[path.group] as object), [path.flag]: true };
  }
  return scopes as GivenScopes;
}

/** The smallest object that grants a scope: `{"pinning": {"unpin": true}}`. */
export function scopeObject(scope: Scope): object {
  const path = PATHS.get(scope);
  return path ? { [path.group]: { [path.flag]: true } } : { admin: true };
}

/** The flat names of all that the given scopes allow. */
export function grantedScopes(given: GivenScopes): Scope[] {
  return SCOPES.filter((scope) => allows(given, scope));
}

/** Whether the given scopes allow `scope`; `admin` implies every scope, a missing flag allows nothing. */
export function allows(given: GivenScopes, scope: Scope): boolean {
  if (given.admin || scope === 'admin') return given.admin;
  const path = PATHS.get(scope);
  if (!path) return false;
  const flags: Record<string, boolean> = given[path.group] ?? {};
  return flags[path.flag] === true;
}

function flagsInOrder(flags: Record<string, boolean>, order: readonly string[]): Record<string, boolean> {
  return Object.fromEntries(order.flatMap((flag) => (flags[flag] === undefined ? [] : [[flag, flags[flag]]])));
}

function effectiveFlags(given: GivenScopes, group: ScopeGroup): Record<string, boolean> {
  const flags: Record<string, boolean> = given[group] ?? {};
  return Object.fromEntries(SCOPE_TREE[group].map((flag) => [flag, given.admin || flags[flag] === true]));
}
