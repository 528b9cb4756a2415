import { TextField } from './TextField';

/** bcrypt ignores further bytes: longer passwords with the same start would be equal. */
const MAX_BYTES = 72;

/** Never trimmed or changed. */
export function passwordField(name = 'password'): TextField {
  return new TextField(name)
    .check(
      'too-long',
      `must have at most ${MAX_BYTES} bytes in UTF-8`,
      (value) => value.length <= MAX_BYTES && Buffer.byteLength(value) <= MAX_BYTES,
    )
    .check('invalid-characters', 'must not contain NUL', (value) => !value.includes('\0'));
}
