import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** The end of a known path: whatever method comes here is not one of `methods` (RFC 9110, 15.5.6). */
export function notAllowed(...methods: string[]): RequestHandler {
  return () => {
    throw problem('method-not-allowed', { headers: { Allow: methods.join(', ') } });
  };
}
