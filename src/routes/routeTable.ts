import { Router, type RequestHandler } from 'express';
import { notAllowed } from '../middleware/notAllowed';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Method, path, the guards and validators in the order in which a request meets them, the handler. */
export type Route = readonly [
  method: Method,
  path: string,
  guards: readonly RequestHandler[],
  handler: RequestHandler,
];

/** A router of these routes. It refuses every other method of their paths with 405 and Allow. */
export function routeTable(routes: readonly Route[]): Router {
  const router = Router();
  const methodsOf = new Map<string, string[]>();
  for (const [method, path, guards, handler] of routes) {
    router[METHOD_NAMES[method]](path, ...guards, handler);
    // Express serves HEAD by the route of GET.
    const methods = method === 'GET' ? ['GET', 'HEAD'] : [method];
    methodsOf.set(path, [...(methodsOf.get(path) ?? []), ...methods]);
  }
  for (const [path, methods] of methodsOf) router.all(path, notAllowed(methods));
  return router;
}

const METHOD_NAMES = { GET: 'get', POST: 'post', PATCH: 'patch', DELETE: 'delete' } as const;
