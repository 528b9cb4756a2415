import type { CookieOptions, Request, Response } from 'express';
import type { Config } from '../config';
import { problem } from '../errors/problems';
import type { TokenPair } from '../types/token';
import { cookieValues } from './cookieValues';
import { sentVariants, type CookieVariant } from './sentVariants';

interface AuthCookie {
  name: string;
  options: CookieOptions & { path: string };
}

/** Bounds the signatures that one request can make us verify. */
const MAX_VALUES = 8;

/** Reads, sets and clears both cookies, always with the same attributes. */
export class AuthCookies {
  private readonly access: AuthCookie;
  private readonly refresh: AuthCookie;

  constructor({ prefix, domain, sameSite, secure, refreshPath }: Config['cookies']) {
    const common = { httpOnly: true, sameSite, secure, ...(domain ? { domain } : {}) };
    this.access = { name: `${prefix}access_token`, options: { ...common, path: '/' } };
    this.refresh = { name: `${prefix}refresh_token`, options: { ...common, path: refreshPath } };
  }

  /** One value for each path and domain that has the cookie. @throws {Problem} `ambiguous-cookies` above 8. */
  accessTokens(req: Request): string[] {
    return atMost(MAX_VALUES, cookieValues(req, this.access.name));
  }

  /** As {@link accessTokens}. */
  refreshTokens(req: Request): string[] {
    return atMost(MAX_VALUES, cookieValues(req, this.refresh.name));
  }

  /** Sets both cookies, and clears those that an earlier path or domain setting left behind. */
  set(res: Response, pair: TokenPair): void {
    const { access, refresh } = this;
    this.clearFormer(res);
    res.cookie(access.name, pair.accessToken, {
      ...access.options,
      maxAge: pair.accessLifetime * 1000,
    });
    res.cookie(refresh.name, pair.refreshToken, {
      ...refresh.options,
      maxAge: pair.refreshLifetime * 1000,
    });
  }

  /** Clears both cookies. One that was sent several times is cleared wherever it may be stored. */
  clear(res: Response): void {
    this.clearSent(res, this.repeated(res.req));
    this.clearFormer(res);
    for (const { name, options } of this.both) res.clearCookie(name, options);
  }

  /** Clears cookies of several sessions: the repeated ones, otherwise both, wherever they may be stored. */
  clearAmbiguous(res: Response): void {
    if (this.repeated(res.req).length === 0) this.clearSent(res, this.both);
    this.clear(res);
  }

  private get both(): readonly AuthCookie[] {
    return [this.access, this.refresh];
  }

  private repeated(req: Request): AuthCookie[] {
    return this.both.filter(({ name }) => cookieValues(req, name).length > 1);
  }

  /** Must run before the cookies are set: some of these variants may name the same cookie (RFC 6265). */
  private clearFormer(res: Response): void {
    for (const cookie of this.both) clearAt(res, cookie, formerVariants(cookie.options));
  }

  private clearSent(res: Response, cookies: readonly AuthCookie[]): void {
    for (const cookie of cookies) clearAt(res, cookie, sentVariants(res.req));
  }
}

/** Browsers drop a cookie only if it is cleared with the attributes it was set with. */
function clearAt(res: Response, cookie: AuthCookie, variants: readonly CookieVariant[]): void {
  for (const variant of variants) res.clearCookie(cookie.name, { ...cookie.options, ...variant });
}

/** Every combination of configured and default domain and path, except the configured one. */
function formerVariants({ domain, path }: AuthCookie['options']): CookieVariant[] {
  const paths = path === '/' ? [path] : [path, '/'];
  const domains = domain === undefined ? [domain] : [domain, undefined];
  return domains.flatMap((domain) => paths.map((path) => ({ domain, path }))).slice(1);
}

function atMost(limit: number, values: string[]): string[] {
  if (values.length > limit) throw problem('ambiguous-cookies', { audit: { cause: 'too many' } });
  return values;
}
