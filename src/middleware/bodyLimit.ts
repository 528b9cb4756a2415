import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** The largest body that is read, in bytes. */
export const BODY_LIMIT = 16 * 1024;

/**
 * Refuses a body over the limit as soon as it is announced or seen, and closes the connection: the
 * parser would read it to its end before it answers, be it 100 GB.
 */
export const bodyLimit: RequestHandler = (req, res, next) => {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw problem('body-too-large');
  if (req.headers['transfer-encoding'] !== undefined) {
    // It may have no end, and a route that reads none would wait for it on a kept connection.
    res.setHeader('Connection', 'close');
    let received = 0;
    const count = (chunk: Buffer) => {
      received += chunk.length;
      if (received > BODY_LIMIT && !res.headersSent) next(problem('body-too-large'));
    };
    // Whoever listens first sets the stream flowing, and that is for the parser to do.
    const join = (event: string) => {
      if (event !== 'data') return;
      req.off('newListener', join);
      req.on('data', count);
    };
    req.on('newListener', join);
  }
  next();
};
