import type { Response } from 'express';

/** Who sent a request. */
export interface AccessUser {
  id: number;
  role: string;
  sessionId: string;
}

/**
 * The user whose access token came with the request.
 *
 * @throws {Error} on a route without the guard `accessToken`
 */
export function userOf(res: Response): AccessUser {
  const { user } = res.locals as { user?: AccessUser };
  if (!user) throw new Error('this route needs the guard accessToken()');
  return user;
}
