import type { Request } from 'express';

/** A domain and a path for which a browser stores a cookie. */
export interface CookieVariant {
  /** Undefined for a host-only cookie. */
  domain: string | undefined;
  path: string;
}

/** Bounded, so that a made-up host or path cannot fill the response. */
const HOST_SHAPE = /^(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,4}[a-z](?:[a-z\d-]{0,61}[a-z\d])$/i;
const PATH_SHAPE = /^(?:\/[\w-]{1,64}){1,4}\/?/;

/** Every domain and path whose cookies a browser sends with this request (RFC 6265, 5.1.3 and 5.1.4). */
export function sentVariants({ hostname, originalUrl }: Request): CookieVariant[] {
  const domains = [undefined, ...domainsOf(hostname)];
  return pathsOf(originalUrl).flatMap((path) => domains.map((domain) => ({ domain, path })));
}

/** The host and its parents, except the top-level domain, for which browsers refuse cookies. */
function domainsOf(host: string | undefined): string[] {
  const labels = HOST_SHAPE.exec(host ?? '')?.[0].split('.') ?? [];
  return labels.slice(1).map((_label, index) => labels.slice(index).join('.'));
}

/** The path and its parents, each with and without a trailing slash. */
function pathsOf(url: string): string[] {
  const path = PATH_SHAPE.exec(url)?.[0] ?? '/';
  const beginnings = Array.from(path, (_character, index) => path.slice(0, index + 1));
  return beginnings.filter(
    (beginning) => beginning.endsWith('/') || ['/', ''].includes(path.charAt(beginning.length)),
  );
}
