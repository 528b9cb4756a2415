/**
 * The code of a system or PostgreSQL error, such as ENOENT or 3D000; '' if there is none.
 * @param {unknown} error
 */
export function errorCode(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
