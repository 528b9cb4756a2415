import type { Request } from 'express';

/**
 * The different values of all cookies of this name, without empty ones, in the order of the `Cookie`
 * header. cookie-parser keeps only the first of them.
 */
export function cookieValues(req: Request, name: string): string[] {
  const first = (req.cookies as Record<string, unknown>)[name];
  if (first === undefined) return [];
  const header = req.headers.cookie ?? '';
  const isSingle = header.indexOf(`${name}=`) === header.lastIndexOf(`${name}=`);
  // cookie-parser turns a cookie that begins with "j:" into an object.
  if (isSingle && typeof first === 'string') return first === '' ? [] : [first];
  const values = header.split(';').flatMap((pair) => {
    const [key = '', ...value] = pair.split('=');
    return key.trim() === name ? [value.join('=').trim()] : [];
  });
  return [...new Set(values)].filter((value) => value !== '');
}
