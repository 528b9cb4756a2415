import type { Router } from 'express';
import type { WellKnownController } from '../controller/WellKnownController';
import { routeTable } from './routeTable';

/** For an issuer with a path, the metadata is also where RFC 8414 section 3.1 expects it. */
export function wellKnownRoutes(wellKnown: WellKnownController, issuer: string): Router {
  const issuerPath = new URL(issuer).pathname.replace(/\/$/, '');
  const metadataPaths = ['/openid-configuration', '/oauth-authorization-server'].flatMap((path) => [
    ...new Set([path, path + issuerPath]),
  ]);
  return routeTable([
    ['GET', '/jwks.json', [], wellKnown.jwks],
    ...metadataPaths.map((path) => ['GET', path, [], wellKnown.metadata] as const),
  ]);
}
