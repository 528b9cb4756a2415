import { Router } from 'express';
import type { HealthController } from '../controller/HealthController';
import { notAllowed } from '../middleware/notAllowed';

export function healthRoutes(health: HealthController): Router {
  const router = Router();
  router.get('/live', (req, res) => {
    health.live(req, res);
  });
  router.get('/ready', (req, res) => health.ready(req, res));
  router.all(['/live', '/ready'], notAllowed('GET', 'HEAD'));
  return router;
}
