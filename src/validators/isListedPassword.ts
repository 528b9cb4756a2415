import commonPasswords from './commonPasswords.json';
import { DIGEST_LENGTH, passwordDigest } from './passwordDigest';

/** Sorted for a binary search: a Set would take ten times the memory. */
const digests = Buffer.from(commonPasswords.digests, 'base64');

const YEAR = /[\W_]*(?:19|20)\d\d[\W_]*$/;

function isListed(password: string): boolean {
  const wanted = passwordDigest(password);
  let low = 0;
  let high = digests.length / DIGEST_LENGTH;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = digests.readUIntBE(middle * DIGEST_LENGTH, DIGEST_LENGTH);
    if (found === wanted) return true;
    if (found < wanted) low = middle + 1;
    else high = middle;
  }
  return false;
}

/** Whether a password is in the list of common ones, ignoring case and a year at the end. */
export const isListedPassword = (password: string): boolean =>
  isListed(password) || isListed(password.replace(YEAR, ''));
