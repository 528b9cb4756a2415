/**
 * The route as the route tables have it, such as `/auth/sessions/:id`; `/api/auth` is another name of
 * `/auth`. `unmatched` before a route was found: unknown paths, preflight requests, foreign origins and
 * bodies over the limit. `path` is the request's own.
 */
export function routeTemplate(route: { readonly path: string } | undefined, path: string): string {
  if (route === undefined) return 'unmatched';
  // A route was found, so the path begins with the mount of its router, in upper or lower case.
  const [, mount = ''] = /^(?:\/api)?(\/[^/]+)/i.exec(path) ?? [];
  return mount.toLowerCase() + route.path;
}
