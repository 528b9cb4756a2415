import type { RequestHandler } from 'express';

/** Forbids caches to store the response (RFC 9111 section 5.2.2.5). */
export const noStore: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  next();
};
