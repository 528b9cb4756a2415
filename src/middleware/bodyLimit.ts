import type { RequestHandler } from 'express';
import { problem } from '../config/problems';

/** The largest body that is read, in bytes. */
export const BODY_LIMIT = 16 * 1024;

/**
 * Refuses a body over the limit as soon as it is announced or seen, and closes the connection: the
 * parser would read it to its end before it answers, be it 100 GB.
 */
export const bodyLimit: RequestHandler = (req, res, next) => {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw problem('body-too-large');
  if (req.headers['transfer-encoding'] !== undefined) {
    let received = 0;
    req.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= BODY_LIMIT) return;
      req.pause();
      if (!res.headersSent) next(problem('body-too-large'));
    });
    // Whoever listens sets the stream flowing; it is for the parser to say when.
    req.pause();
  }
  next();
};
