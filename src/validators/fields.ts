import { body, type Meta, type ValidationChain } from 'express-validator';
import isEmail from 'validator/lib/isEmail';
import { isCommonPassword } from './commonPasswords';

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

/** A password to be set (OWASP ASVS 5.0, 6.2.1, 6.2.4 and 6.2.11; no composition rules, 6.2.5). */
export function newPasswordField(name = 'password'): ValidationChain {
  const chain = check(
    `${name} must have at least 8 characters`,
    (value) => lengthOf(value) >= MIN_PASSWORD_CHARACTERS,
  )(passwordField(name));
  return check(
    `${name} is one of the most common passwords`,
    (value) => !isCommonPassword(value),
  )(chain)
    .custom((value: string, { req }) => !containsOneOf(value, personalWords(req)))
    .withMessage(`${name} must not contain the e-mail or a name`);
}

/** Shorter ones stand in too many words by chance. */
const MIN_PERSONAL_WORD = 4;

/** What is known of a person: by the body of a registration, or as the user who is signed in. */
function personalWords(req: Meta['req']): string[] {
  const { email, firstName, lastName } = { ...req.body, ...req.user } as Record<string, unknown>;
  const localPart = typeof email === 'string' ? email.split('@')[0] : undefined;
  return [localPart, firstName, lastName]
    .filter((word) => typeof word === 'string')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => lengthOf(word) >= MIN_PERSONAL_WORD);
}

const containsOneOf = (value: string, words: string[]) =>
  words.some((word) => value.toLowerCase().includes(word));
