import type { Router } from 'express';
import type { HealthController } from '../controller/HealthController';
import { routeTable } from './routeTable';

export function healthRoutes(health: HealthController): Router {
  return routeTable([
    ['GET', '/live', [], health.live],
    ['GET', '/ready', [], health.ready],
  ]);
}
