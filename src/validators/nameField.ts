import { lengthOf } from './lengthOf';
import { TextField } from './TextField';
import { MAX_RAW_LENGTH } from './textLimits';

const MAX_CHARACTERS = 255;
const TOO_LONG = ['too-long', `must have at most ${MAX_CHARACTERS} characters`] as const;

/** Controls, private use, unassigned, line ends, and characters that change the text direction. */
const REFUSED = /[\p{Cc}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u;
/** The two named characters are symbols without a shape. */
const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800\u{1d159}])[\p{L}\p{N}\p{P}\p{S}]/u;

/** A person's name, trimmed. It may be absent if the field `unless` is there. */
export function nameField(name: string, { unless }: { unless?: string } = {}): TextField {
  return new TextField(name, unless)
    .check(...TOO_LONG, (value) => value.length <= MAX_RAW_LENGTH)
    .change((value) => value.trim())
    .check(...TOO_LONG, (value) => lengthOf(value) <= MAX_CHARACTERS)
    .check(
      'invalid-characters',
      'must not contain control, private-use or text-direction characters, or line breaks',
      (value) => !REFUSED.test(value),
    )
    .check('blank', 'must have at least one visible character', (value) => VISIBLE.test(value));
}
