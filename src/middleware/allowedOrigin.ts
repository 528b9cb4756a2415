import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Guard: refuses a state-changing request that a page of a foreign origin sent (OWASP CSRF
 * Prevention: verifying the origin). `cors` alone would let it through and only hide the response.
 *
 * A browser sends the origin, or at least `Sec-Fetch-Site`. A request with neither does not come from
 * a browser, so no cookie jar can be abused. The origin `null` says nothing about the page: a sandboxed
 * frame sends it, and so does a page of our own under the referrer policy `no-referrer`.
 */
export function allowedOrigin(origins: readonly string[]): RequestHandler {
  return (req, _res, next) => {
    if (!SAFE_METHODS.has(req.method)) {
      const origin = req.get('origin');
      const site = req.get('sec-fetch-site') ?? 'none';
      if (!isAllowed(origins, origin, site)) throw problem('foreign-origin');
    }
    next();
  };
}

function isAllowed(origins: readonly string[], origin: string | undefined, site: string): boolean {
  if (origin === undefined) return site === 'same-origin' || site === 'none';
  if (origin === 'null') return site === 'same-origin';
  return origins.includes(origin);
}
