import type { RequestHandler } from 'express';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

export interface TrustSettings {
  /** Exactly the JWT_ISSUER of auth-service. */
  issuer: string;
  audience: string;
  /** How often to fetch the key set, in seconds; auth-service expects 300. */
  refreshInterval?: number;
}

/** The keys could not be fetched, so the token may be valid. */
const isOutage = (error: unknown) =>
  !(error instanceof errors.JOSEError) ||
  error instanceof errors.JWKSTimeout ||
  error.code === 'ERR_JOSE_GENERIC';

/**
 * Guard: requires an access token of auth-service, from the cookie, otherwise from `Authorization:
 * Bearer`, and sets `res.locals.user` to `{ id, role }`. Otherwise it throws 401, or 503 if the keys were
 * never fetched.
 *
 * Only the first request waits for auth-service: the key set is refreshed in the background, and the
 * last one stays while auth-service is down.
 */
export function accessToken({
  issuer,
  audience,
  refreshInterval = 240,
}: TrustSettings): RequestHandler {
  const keys = createRemoteJWKSet(new URL(`${issuer.replace(/\/$/, '')}/.well-known/jwks.json`), {
    cacheMaxAge: Infinity,
    timeoutDuration: 2_000,
  });
  setInterval(() => void keys.reload().catch(() => undefined), refreshInterval * 1000).unref();

  return async (req, res, next) => {
    const cookies = req.cookies as Record<string, unknown>;
    const bearer = /^Bearer +(\S+) *$/i.exec(req.get('authorization') ?? '')?.[1];
    const token = cookies.access_token ?? bearer;
    if (typeof token !== 'string') {
      res.status(401).set('WWW-Authenticate', 'Bearer').json({ detail: 'A token is missing' });
      return;
    }
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub', 'role'],
        clockTolerance: 5,
      });
      res.locals.user = { id: payload.sub, role: payload.role };
    } catch (error) {
      if (isOutage(error))
        res.status(503).set('Retry-After', '5').json({ detail: 'Try again soon' });
      else
        res
          .status(401)
          .set('WWW-Authenticate', 'Bearer error="invalid_token"')
          .json({ detail: 'The token is invalid or expired' });
      return;
    }
    next();
  };
}

/** Guard after accessToken: 403 if the user has none of these roles. */
export function allowedRoles(...roles: string[]): RequestHandler {
  return (_req, res, next) => {
    const { role } = res.locals.user as { role: string };
    if (roles.includes(role)) next();
    else res.status(403).json({ detail: 'Your role does not allow this' });
  };
}
