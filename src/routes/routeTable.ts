import { Router, type RequestHandler } from 'express';
import { notAllowed } from '../middleware/notAllowed';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Guards include validators, in the order in which a request meets them. */
export type Route = readonly [
  method: Method,
  path: string,
  guards: readonly RequestHandler[],
  handler: RequestHandler,
];

/** A router of these routes, with 405 and Allow for every other method of their paths. */
export function routeTable(routes: readonly Route[]): Router {
  const router = Router();
  const methodsOf = new Map<string, string[]>();
  for (const [method, path, guards, handler] of routes) {
    router[METHOD_NAMES[method]](path, ...guards, handler);
    // Express serves HEAD with the route of GET.
    const methods = method === 'GET' ? ['GET', 'HEAD'] : [method];
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), ...methods]);
  }
  for (const [path, methods] of methodsOf) router.all(path, notAllowed(methods));
  return router;
}

const METHOD_NAMES = { GET: 'get', POST: 'post', PATCH: 'patch', DELETE: 'delete' } as const;
