import type { ErrorRequestHandler } from 'express';
import { isProblem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';

/** Clears the cookies if the request is refused because they belong to several sessions. */
export function clearAmbiguousCookies(cookies: AuthCookies): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (isProblem(error) && error.code === 'ambiguous-cookies') cookies.clearAmbiguous(res);
    next(error);
  };
}
