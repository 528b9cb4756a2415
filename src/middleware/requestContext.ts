import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler } from 'express';
import type { Logger } from '../config/logger';
import { networksOf, plainAddress } from '../http/clientAddress';

const REQUEST_ID_SHAPE = /^[\w-]{8,64}$/;
const MAX_USER_AGENT = 255;
const MAX_PATH = 256;

const NO_ADDRESS = { ipAddress: null, network: null, site: null };

/** If X-Forwarded-For has no valid address, the peer's address counts. */
function addressesOf(req: Request) {
  const address = plainAddress(req.ip) ?? plainAddress(req.socket.remoteAddress);
  return address === undefined ? NO_ADDRESS : networksOf(address);
}

/** Sets `req.caller` and logs the request. Keeps a sent request id of 8 to 64 letters, digits, `_` or `-`. */
export function requestContext(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const given = req.get('x-request-id');
    const requestId = given && REQUEST_ID_SHAPE.test(given) ? given : randomUUID();
    req.caller = {
      requestId,
      ...addressesOf(req),
      userAgent: req.get('user-agent')?.slice(0, MAX_USER_AGENT) ?? null,
    };
    res.setHeader('X-Request-Id', requestId);
    const path = req.path.slice(0, MAX_PATH);
    res.once('close', () => {
      logger.info('request', {
        requestId,
        method: req.method,
        path,
        status: res.writableFinished ? res.statusCode : 'aborted',
        milliseconds: Math.round(performance.now() - startedAt),
        ipAddress: req.caller.ipAddress,
      });
    });
    next();
  };
}
