import type { ErrorRequestHandler, RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** In milliseconds, so that every client has its response within five seconds. */
const DEADLINE = 4_700;

/**
 * Responds with 503 to a request that takes too long, counted from the end of its body. What the request
 * has begun still ends; its result is lost, as if the connection had broken.
 */
export function responseDeadline(respond: ErrorRequestHandler): RequestHandler {
  return (req, res, next) => {
    const timer = setTimeout(() => {
      // Node itself ends a request whose body does not arrive.
      if (!req.complete || res.headersSent) return;
      void respond(problem('unavailable'), req, res, next);
    }, DEADLINE);
    req.once('end', () => {
      timer.refresh();
    });
    res.once('close', () => {
      clearTimeout(timer);
    });
    next();
  };
}
