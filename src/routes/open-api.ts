import type { Router } from 'express';
import type { WellKnownController } from '../controller/WellKnownController';
import { routeTable } from './routeTable';

export function openApiRoutes(wellKnown: WellKnownController): Router {
  return routeTable([['GET', '/openapi.json', [], wellKnown.openApi]]);
}
