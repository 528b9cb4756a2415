import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Logger } from '../config/logger';
import { networksOf, plainAddress } from '../http/clientAddress';
import { traceOf } from '../http/traceOf';
import type { Metrics } from '../types/metrics';

const REQUEST_ID_SHAPE = /^[\w-]{8,64}$/;
const MAX_USER_AGENT = 255;
const MAX_PATH = 256;

const NO_ADDRESS = { ipAddress: null, network: null, site: null };

/** If X-Forwarded-For has no valid address, the peer's address counts. */
function addressesOf(req: Request) {
  const address = plainAddress(req.ip) ?? plainAddress(req.socket.remoteAddress);
  return address === undefined ? NO_ADDRESS : networksOf(address);
}

/**
 * Identifies the request and its client in `req.caller`, and logs one line when the response ends.
 *
 * A request id from the client or a proxy is kept if it has 8 to 64 letters, digits, `_` and `-`.
 */
export function requestContext(logger: Logger, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const given = req.get('x-request-id');
    const requestId = given && REQUEST_ID_SHAPE.test(given) ? given : randomUUID();
    req.caller = {
      requestId,
      ...addressesOf(req),
      userAgent: req.get('user-agent')?.slice(0, MAX_USER_AGENT) ?? null,
      trace: traceOf(req.get('traceparent')),
    };
    res.setHeader('X-Request-Id', requestId);
    const path = req.path.slice(0, MAX_PATH);
    res.once('close', () => {
      const status = res.writableFinished ? res.statusCode : 'aborted';
      const milliseconds = performance.now() - startedAt;
      metrics.requestEnded(req, path, status, milliseconds);
      logger.info('request', {
        requestId,
        method: req.method,
        path,
        status,
        milliseconds: Math.round(milliseconds),
        ipAddress: req.caller.ipAddress,
        ...req.caller.trace,
      });
    });
    next();
  };
}
