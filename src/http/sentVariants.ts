import type { Request } from 'express';

/** Where a browser keeps a cookie: each domain and path has one of its own. */
export interface CookieVariant {
  /** None for a host-only cookie. */
  domain: string | undefined;
  path: string;
}

/** The bounds keep a made-up host or path from filling the response. */
const HOST_SHAPE = /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,4}[a-z](?:[a-z\d-]{0,61}[a-z\d])$/i;
const PATH_SHAPE = /^(?:\/[\w-]{1,64}){1,4}\/?/;

/**
 * Every domain and path of which the browser would send a cookie with this request (RFC 6265 sections
 * 5.1.3 and 5.1.4), also those that were never ours.
 */
export function sentVariants({ hostname, originalUrl }: Request): CookieVariant[] {
  const domains = [undefined, ...domainsOf(hostname)];
  return pathsOf(originalUrl).flatMap((path) => domains.map((domain) => ({ domain, path })));
}

/** The host and its parents, without the top-level domain, whose cookies browsers refuse. */
function domainsOf(host: string | undefined): string[] {
  const labels = HOST_SHAPE.exec(host ?? '')?.[0].split('.') ?? [];
  return labels.slice(1).map((_label, index) => labels.slice(index).join('.'));
}

/** The path and its parents, each with and without a slash at the end. */
function pathsOf(url: string): string[] {
  const path = PATH_SHAPE.exec(url)?.[0] ?? '/';
  const beginnings = Array.from(path, (_character, index) => path.slice(0, index + 1));
  return beginnings.filter(
    (beginning) => beginning.endsWith('/') || ['/', ''].includes(path.charAt(beginning.length)),
  );
}
