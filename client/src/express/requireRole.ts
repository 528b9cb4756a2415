import type { RequestHandler } from 'express';
import { Refusal } from './Refusal.js';
import { userOf } from './userOf.js';

/**
 * Guard after `accessToken`: 403 if the user has none of these roles. The role is as old as the token, at
 * most an hour.
 */
export function requireRole(...roles: string[]): RequestHandler {
  return (_req, res, next) => {
    if (roles.includes(userOf(res).role)) next();
    else new Refusal('forbidden').send(res);
  };
}
