import { lengthOf } from './lengthOf';
import { MAX_RAW_LENGTH } from './textLimits';

/** Shorter ones are part of too many words by chance. */
const MIN_CHARACTERS = 4;

/** What is known of a person, in lower case: from the body of a registration, or from the account. */
export function personalWords(person: Record<string, unknown>): string[] {
  const { email, firstName, lastName } = person;
  const localPart = typeof email === 'string' ? email.split('@')[0] : undefined;
  return [email, localPart, firstName, lastName]
    .filter((word) => typeof word === 'string')
    .filter((word) => word.length <= MAX_RAW_LENGTH)
    .map((word) => word.trim().toLowerCase())
    .filter((word) => lengthOf(word) >= MIN_CHARACTERS);
}
