import { createHash } from 'node:crypto';

/**
 * A short name for a text, fit for file names.
 * @param {string} text
 */
export function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
