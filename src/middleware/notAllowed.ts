import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';

/** Refuses all methods; comes after the routes of `methods` (RFC 9110 section 15.5.6). */
export function notAllowed(methods: readonly string[]): RequestHandler {
  return () => {
    throw problem('method-not-allowed', { headers: { Allow: methods.join(', ') } });
  };
}
