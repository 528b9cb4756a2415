import { isListedPassword } from './isListedPassword';
import { isPredictablePassword } from './isPredictablePassword';
import { lengthOf } from './lengthOf';
import { passwordField } from './passwordField';
import { personalWords } from './personalWords';
import type { TextField } from './TextField';

const MIN_CHARACTERS = 8;
const SERVICE_NAME = /auth[^a-z]*service/i;

/** OWASP ASVS 5.0, 6.2.1, 6.2.4 and 6.2.11; no composition rules (6.2.5). */
export function newPasswordField(name = 'password'): TextField {
  return passwordField(name)
    .check(
      'too-short',
      `must have at least ${MIN_CHARACTERS} characters`,
      (value) => lengthOf(value) >= MIN_CHARACTERS,
    )
    .check('too-common', 'is one of the most common passwords', (value) => !isListedPassword(value))
    .check(
      'too-common',
      'must be more than a repetition or a sequence of keys',
      (value) => !isPredictablePassword(value),
    )
    .check(
      'too-common',
      'must not contain the name of this service',
      (value) => !SERVICE_NAME.test(value),
    )
    .check(
      'contains-personal-data',
      'must not contain the e-mail or a name',
      (value, { req }) =>
        !personalWords({ ...(req.body as object), ...(req.user as object | undefined) }).some(
          (word) => value.toLowerCase().includes(word),
        ),
    );
}
