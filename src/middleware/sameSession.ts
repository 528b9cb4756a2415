import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';
import { required } from './requestState';

/**
 * Guard, after parseAccessToken and parseRefreshToken: both tokens must name one session. Otherwise a
 * planted cookie could end another user's session.
 *
 * @throws {Problem} `invalid-token`.
 */
export const sameSession: RequestHandler = (req, _res, next) => {
  if (required(req, 'refresh').sessionId !== required(req, 'auth').sessionId)
    throw problem('invalid-token');
  next();
};
