import { createHash } from 'node:crypto';
import { Router } from 'express';
import type { KeySet } from '../config/keys';
import { notAllowed } from '../middleware/notAllowed';

/** How long a verifier may keep the key set, in seconds. */
const MAX_AGE = 300;

export function wellKnownRoutes(keys: KeySet): Router {
  const router = Router();
  const body = JSON.stringify(keys.jwks);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;

  router.get('/jwks.json', (_req, res) => {
    res.set({ 'Cache-Control': `public, max-age=${MAX_AGE}`, ETag: etag });
    res.type('application/json').send(body);
  });
  router.all('/jwks.json', notAllowed('GET', 'HEAD'));
  return router;
}
