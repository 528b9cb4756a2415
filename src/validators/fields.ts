import { body, type ValidationChain } from 'express-validator';
import isEmail from 'validator/lib/isEmail';

const MAX_EMAIL_CHARACTERS = 254;
const MAX_NAME_CHARACTERS = 255;
const MIN_PASSWORD_CHARACTERS = 8;
/** bcrypt reads no more: two longer passwords that begin alike would be the same. */
const MAX_PASSWORD_BYTES = 72;

const CONTROL_CHARACTER = /\p{Cc}/u;

/** Characters as a person counts them off a keyboard: Unicode code points. */
const lengthOf = (value: string) => Array.from(value).length;

/** A check of the value as it stands: express-validator's own would run on each element of an array. */
const check = (message: string, holds: (value: string) => boolean) => (chain: ValidationChain) =>
  chain
    .custom((value: string) => holds(value))
    .withMessage(message)
    .bail();

/** A field that must be a well-formed string. Each chain bails, so that a field has one error. */
function textField(name: string, unless?: string): ValidationChain {
  const field = body(name);
  if (unless !== undefined)
    field.if((value: unknown, { req }) => {
      const fields = (req.body ?? {}) as Record<string, unknown>;
      return value !== undefined || fields[unless] === undefined;
    });
  return field
    .custom((value) => value !== undefined)
    .withMessage(`${name} is required`)
    .bail()
    .custom((value) => typeof value === 'string' && value.isWellFormed())
    .withMessage(`${name} must be a string`)
    .bail();
}

/** The one form of an e-mail, on write and on read. */
const canonicalEmail = (value: string) =>
  value.trim().normalize('NFC').toLowerCase().normalize('NFC');

export function emailField(): ValidationChain {
  const chain = textField('email').customSanitizer(canonicalEmail);
  return check(
    'email must be a valid e-mail address of at most 254 characters',
    (value) =>
      lengthOf(value) <= MAX_EMAIL_CHARACTERS && !CONTROL_CHARACTER.test(value) && isEmail(value),
  )(chain);
}

/** `unless` is the field that may stand in this one's place. */
export function nameField(name: string, { unless }: { unless?: string } = {}): ValidationChain {
  const chain = textField(name, unless).customSanitizer((value: string) => value.trim());
  return check(
    `${name} must have 1 to 255 characters, and no control characters`,
    (value) =>
      value !== '' && lengthOf(value) <= MAX_NAME_CHARACTERS && !CONTROL_CHARACTER.test(value),
  )(chain);
}

/** A password to be verified; never trimmed or changed. */
export function passwordField(name = 'password'): ValidationChain {
  return check(
    `${name} must have at most 72 bytes, and no NUL`,
    (value) =>
      value !== '' && Buffer.byteLength(value) <= MAX_PASSWORD_BYTES && !value.includes('\0'),
  )(textField(name));
}

/** A password to be set. */
export function newPasswordField(name = 'password'): ValidationChain {
  return check(
    `${name} must have at least 8 characters`,
    (value) => lengthOf(value) >= MIN_PASSWORD_CHARACTERS,
  )(passwordField(name));
}
