import { randomUUID } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { RequestHandler } from 'express';
import ipaddr from 'ipaddr.js';
import type { Logger } from '../config/logger';

const REQUEST_ID_SHAPE = /^[\w-]{8,64}$/;
const MAX_USER_AGENT = 255;
const MAX_PATH = 256;

/** The address in the form of PostgreSQL's inet, and its network. */
function addressesOf(address = ''): { ipAddress: string | null; network: string | null } {
  // Some gateways forward an IPv4 address with its port.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$|(?<=^[\d.]+):\d+$/, '');
  if (isIPv4(plain)) return { ipAddress: plain, network: plain };
  if (!ipaddr.IPv6.isValid(plain)) return { ipAddress: null, network: null };
  const parsed = ipaddr.parse(plain);
  const ipAddress = parsed.toString();
  return {
    ipAddress,
    network: `${ipaddr.IPv6.networkAddressFromCIDR(`${ipAddress}/64`).toString()}/64`,
  };
}

/**
 * Identifies the request and its client in `req.caller`, and logs one line when the response ends.
 *
 * A request id from the client or a proxy is kept if it has 8 to 64 letters, digits, `_` and `-`.
 */
export function requestContext(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    const given = req.get('x-request-id');
    const requestId = given && REQUEST_ID_SHAPE.test(given) ? given : randomUUID();
    req.caller = {
      requestId,
      ...addressesOf(req.ip),
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
