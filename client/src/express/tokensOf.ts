import type { Request } from 'express';

/**
 * The access tokens of a request: from the cookies, otherwise from `Authorization: Bearer` (RFC 6750
 * section 2.1). There are several if another path or domain has a cookie of the same name.
 */
export function tokensOf(req: Request, cookie: string): string[] {
  const values = (req.headers.cookie ?? '').split(';').flatMap((pair) => {
    const [name = '', value = ''] = pair.trim().split('=');
    return name === cookie && value !== '' ? [value] : [];
  });
  if (values.length > 0) return [...new Set(values)];
  const bearer = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? '')?.[1];
  return bearer === undefined ? [] : [bearer];
}
