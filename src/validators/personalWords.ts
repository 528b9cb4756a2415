import { lengthOf } from './lengthOf';
import { MAX_RAW_LENGTH } from './textLimits';

/** Shorter words are part of other words by chance. */
const MIN_CHARACTERS = 4;

/** E-mail and names in lower case, from a registration or an account. */
export function personalWords(person: Record<string, unknown>): string[] {
  const { email, firstName, lastName } = person;
  const localPart = typeof email === 'string' ? email.split('@')[0] : undefined;
  return [email, localPart, firstName, lastName]
    .filter((word) => typeof word === 'string')
    .filter((word) => word.length <= MAX_RAW_LENGTH)
    .map((word) => word.trim().toLowerCase())
    .filter((word) => lengthOf(word) >= MIN_CHARACTERS);
}
