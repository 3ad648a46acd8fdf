/**
 * The path and the query of a request's target. Clients may send a whole URL in their place (absolute-form; RFC 9112,
 * 3.2.2), whose scheme and authority are passed over: they name this server, whatever its name is. Applied where
 * requests come in, so that whatever reads the path or the query meets one form of it.
 *
 * Whatever else Node takes for a target (`*`, and what begins with it) gets a slash in front: the router does not look
 * at the first character of a path, and would find the routes of others for it.
 */
export function originForm(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}
