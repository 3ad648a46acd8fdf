/**
 * The path and the query of a request's target. Clients may send a whole URL instead (absolute-form; RFC 9112, 3.2.2):
 * its scheme and authority are dropped, since they can only name this server. Applied before anything else, so that all
 * readers of the target see the same form.
 *
 * Other targets that Node accepts (`*`, or anything that begins with it) get a leading slash: the router skips the first
 * character of a path, and would match them to other routes.
 */
export function originForm(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}
