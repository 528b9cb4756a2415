/** The seconds of `Retry-After`, which may also be a date (RFC 9110 section 10.2.3); 0 without it. */
export function retryAfter({ headers }: Response): number {
  const value = headers.get('Retry-After') ?? '';
  return Math.max(0, Number(value) || (Date.parse(value) - Date.now()) / 1000 || 0);
}
