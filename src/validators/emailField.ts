import isEmail from 'validator/lib/isEmail';
import { canonicalEmail } from './canonicalEmail';
import { hiddenCharacters } from './hiddenCharacters';
import { lengthOf } from './lengthOf';
import { TextField } from './TextField';
import { MAX_RAW_LENGTH } from './textLimits';

const MAX_CHARACTERS = 254;
const TOO_LONG = ['too-long', `must have at most ${MAX_CHARACTERS} characters`] as const;

/** Converts the address to its canonical form. */
export function emailField(): TextField {
  return (
    new TextField('email')
      .check(...TOO_LONG, (value) => value.length <= MAX_RAW_LENGTH)
      .check(
        'invalid-characters',
        'must not contain spaces, control, invisible or fullwidth characters',
        (value) => !hiddenCharacters(value.trim()),
      )
      .change(canonicalEmail)
      .check(...TOO_LONG, (value) => lengthOf(value) <= MAX_CHARACTERS)
      // "ada"@example.com would be a second spelling of ada@example.com.
      .check(
        'invalid-email',
        'must be an e-mail address such as ada@example.com',
        (value) => isEmail(value) && !value.startsWith('"'),
      )
  );
}
