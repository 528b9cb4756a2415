import jwt from 'jsonwebtoken';

/**
 * Header and claims of a token, without verifying it.
 *
 * @param {string} token
 */
export function decoded(token) {
  const { header, payload } = jwt.decode(token, { complete: true }) ?? {};
  if (!header || !payload || typeof payload === 'string') throw new Error('not a JWT');
  return { header, payload };
}
