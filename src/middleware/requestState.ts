import type { Request } from 'express';
import { problem } from '../errors/problems';

/** What a guard has set on the request. @throws {Problem} `missing-token` on a route that lacks the guard. */
export function required<K extends 'access' | 'refresh' | 'auth' | 'user' | 'rotated'>(
  req: Request,
  key: K,
): NonNullable<Request[K]> {
  const value = req[key];
  if (value === undefined) throw problem('missing-token');
  return value;
}
