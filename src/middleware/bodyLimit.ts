import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** The largest accepted body, in bytes. */
export const BODY_LIMIT = 16 * 1024;

/**
 * Refuses a body over the limit as soon as it is announced or seen, and closes the connection. The
 * parser would read the whole body before it responds, even one of 100 GB.
 */
export const bodyLimit: RequestHandler = (req, res, next) => {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw problem('body-too-large');
  if (req.headers['transfer-encoding'] !== undefined) {
    // It may never end, and a route that reads no body would wait for it on a kept connection.
    res.setHeader('Connection', 'close');
    let received = 0;
    const count = (chunk: Buffer) => {
      received += chunk.length;
      if (received > BODY_LIMIT && !res.headersSent) next(problem('body-too-large'));
    };
    // The first data listener starts the stream, and that has to be the parser's.
    const join = (event: string) => {
      if (event !== 'data') return;
      req.off('newListener', join);
      req.on('data', count);
    };
    req.on('newListener', join);
  }
  next();
};
