import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Guard: refuses a state-changing request from a foreign page (OWASP CSRF Prevention), which `cors` would run.
 * A request with neither Origin nor Sec-Fetch-Site does not come from a browser. The origin `null` may be a
 * foreign sandboxed frame, or a page of ours with the referrer policy `no-referrer`.
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
