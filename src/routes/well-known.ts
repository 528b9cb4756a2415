import type { Router } from 'express';
import type { WellKnownController } from '../controller/WellKnownController';
import { routeTable } from './routeTable';

/**
 * The public keys and the issuer's metadata. An issuer with a path also has its metadata where RFC 8414
 * section 3.1 puts it, before that path.
 */
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
