import type { Request } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import { verifyEach } from './verifyEach';

/** The ids of the sessions in the request's verified cookies, live or not. */
export function namedSessions(req: Request, tokens: TokenService, cookies: AuthCookies): string[] {
  const access = verifyEach(cookies.accessTokens(req), (token) => tokens.verifyAccessToken(token));
  const refresh = verifyEach(cookies.refreshTokens(req), (token) =>
    tokens.verifyRefreshToken(token),
  );
  const named = [...access.claims, ...refresh.claims];
  return [...new Set(named.map(({ sessionId }) => sessionId))];
}
