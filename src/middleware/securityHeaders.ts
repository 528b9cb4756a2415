import type { RequestHandler } from 'express';
import type { Config } from '../config';
import { protectiveHeaders } from '../http/protectiveHeaders';

/** Sets the security headers, which are computed once. */
export function securityHeaders(environment: Config['environment']): RequestHandler {
  const headers = new Map(protectiveHeaders(environment));
  return (_req, res, next) => {
    res.setHeaders(headers);
    next();
  };
}
