import type { Request } from 'express';

/** The distinct non-empty values of a cookie, in the order sent; cookie-parser keeps only the first. */
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
