import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** The largest accepted body, in bytes. */
export const BODY_LIMIT = 16 * 1024;

/** Refuses a body over the limit at once and closes the connection; the parser would read all of it. */
export const bodyLimit: RequestHandler = (req, res, next) => {
  if (Number(req.headers['content-length'] ?? 0) > BODY_LIMIT) throw problem('body-too-large');
  if (req.headers['transfer-encoding'] !== undefined) {
    // The body may never end, and a kept connection would wait for its end.
    res.setHeader('Connection', 'close');
    let received = 0;
    const count = (chunk: Buffer) => {
      received += chunk.length;
      if (received > BODY_LIMIT && !res.headersSent) next(problem('body-too-large'));
    };
    // The first data listener starts the stream; it must be the parser's.
    const join = (event: string) => {
      if (event !== 'data') return;
      req.off('newListener', join);
      req.on('data', count);
    };
    req.on('newListener', join);
  }
  next();
};
