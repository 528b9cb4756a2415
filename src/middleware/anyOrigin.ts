import cors from 'cors';
import type { RequestHandler } from 'express';

const policy = cors({
  origin: '*',
  methods: ['GET', 'HEAD'],
  exposedHeaders: ['ETag', 'X-Request-Id'],
  maxAge: 600,
});

/** Lets scripts of every origin read public documents, without cookies. */
export const anyOrigin: RequestHandler = (req, res, next) => {
  res.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  policy(req, res, next);
};
