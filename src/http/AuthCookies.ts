import type { CookieOptions, Response } from 'express';
import type { Config } from '../config';
import type { TokenPair } from '../types/token';

export const ACCESS_COOKIE = 'access_token';
export const REFRESH_COOKIE = 'refresh_token';

/** Sets and clears the cookies, with the same attributes for both. */
export class AuthCookies {
  private readonly access: CookieOptions;
  private readonly refresh: CookieOptions;

  constructor({ domain, sameSite, secure, refreshPath }: Config['cookies']) {
    const common = { httpOnly: true, sameSite, secure, ...(domain ? { domain } : {}) };
    this.access = { ...common, path: '/' };
    this.refresh = { ...common, path: refreshPath };
  }

  set(res: Response, pair: TokenPair): void {
    res.cookie(ACCESS_COOKIE, pair.accessToken, {
      ...this.access,
      maxAge: pair.accessLifetime * 1000,
    });
    res.cookie(REFRESH_COOKIE, pair.refreshToken, {
      ...this.refresh,
      maxAge: pair.refreshLifetime * 1000,
    });
  }

  /** A browser drops a cookie only if it is cleared with the attributes it was set with. */
  clear(res: Response): void {
    res.clearCookie(ACCESS_COOKIE, this.access);
    res.clearCookie(REFRESH_COOKIE, this.refresh);
  }
}
