/**
 * Names that clients know from other services, by our name for them. An alias of several names suggests the one that
 * the request accepts.
 */
const ALIASES: Record<string, readonly string[]> = {
  api_key: ['key', 'public_key', 'access_key', 'access_key_id', 'key_id', 'pinning_api_key'],
  secret_key: ['secret', 'api_secret', 'secret_access_key', 'password', 'pinning_secret_key'],
  credential: ['token', 'bearer', 'authorization', 'api_token'],
  name: ['label', 'title', 'display_name', 'key_name', 'search', 'query', 'q'],
  scope: ['required_scope', 'needed_scope', 'permission', 'action'],
  scopes: ['permission', 'grant', 'role', 'access', 'right'],
  metadata: ['meta', 'tag', 'label', 'annotation', 'note'],
  enabled: ['status', 'state', 'disabled', 'disable', 'enable', 'active', 'is_active', 'is_enabled', 'is_disabled'],
  ip: ['address', 'ip_address', 'client_ip', 'remote_addr', 'remote_address'],
  cost: ['weight', 'amount', 'count', 'units', 'use'],
  not_before: ['nbf', 'starts_at', 'valid_from', 'active_from', 'begins_at'],
  expires_at: [
    'exp',
    'expires',
    'expiry',
    'expiration',
    'expiry_date',
    'expires_in',
    'ttl',
    'valid_until',
    'not_after',
  ],
  max_uses: ['use', 'usage_limit', 'quota', 'remaining', 'remaining_uses', 'usage'],
  rate_limit: ['rate', 'rate_limiting', 'throttle', 'burst'],
  requests: ['max_requests', 'limit', 'max', 'count', 'item', 'key', 'batch'],
  window_seconds: ['window', 'interval', 'period', 'duration', 'second', 'per', 'window_ms'],
  allowed_cidrs: ['cidr', 'ip', 'allowed_ip', 'ip_allowlist', 'ip_whitelist', 'network', 'allowed_network'],
  overlap_seconds: ['overlap', 'grace', 'grace_period', 'grace_seconds', 'overlap_ms'],
  limit: ['page_size', 'per_page', 'size', 'first'],
  offset: ['page', 'skip', 'start'],
  cursor: ['after', 'next', 'next_cursor', 'page_token', 'starting_after'],
  cascade: ['recursive', 'force', 'descendants'],
  api_key_id: ['id', 'key_id', 'key'],
  actor: ['user', 'by', 'principal'],
  from: ['since', 'after', 'start'],
  to: ['until', 'before', 'end'],
};

/** Whether a name is an alias of `known`. @param folded the name, after `fold()` */
export function isAlias(folded: string, known: string): boolean {
  return FOLDED.get(fold(known))?.has(folded) ?? false;
}

/** A name without differences of style: `maxUses`, `max-uses` and `MAX_USE` become equal. */
export function fold(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return plain.length > 2 ? plain.replace(/s$/, '') : plain;
}

const FOLDED = new Map(Object.entries(ALIASES).map(([name, aliases]) => [fold(name), new Set(aliases.map(fold))]));
