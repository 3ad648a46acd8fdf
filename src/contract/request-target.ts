/**
 * The path and the query of a request's target. Clients may send a whole URL in their place (absolute-form; RFC 9112,
 * 3.2.2), whose scheme and authority are passed over: they name this server, whatever its name is. Applied where
 * requests come in, so that whatever reads the path or the query meets one form of it.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const authority = /^https?:\/\/[^/?#]*/i.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
