import { isListedPassword } from './isListedPassword';
import { lengthOf } from './lengthOf';

const ROWS = [
  'abcdefghijklmnopqrstuvwxyz',
  '1234567890',
  '!@#$%^&*()',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  'йцукенгшщзхъ',
  'фывапролджэ',
  'ячсмитьбю',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
];
/** Each row twice, for sequences that continue at its start: 890123. */
const SEQUENCES = ROWS.map((row) => row + row).flatMap((row) => [
  row,
  Array.from(row).reverse().join(''),
]);
const MIN_SEQUENCE = 3;
const MIN_CHARACTERS = 8;
/** The shortest password in which each run of one key and each sequence counts as one character. */
const MIN_REST = 4;

/** The shortest part that gives the text when it is repeated; the last repetition may be cut. */
function repeatedPart(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1)
    if (text.slice(length) === text.slice(0, -length)) return text.slice(0, length);
  return text;
}

const isSequence = (text: string) => SEQUENCES.some((sequence) => sequence.includes(text));

/** Replaces each sequence by its first character. */
function withoutSequences(text: string): string {
  let rest = '';
  for (let at = 0; at < text.length;) {
    let end = at + MIN_SEQUENCE;
    while (end <= text.length && isSequence(text.slice(at, end))) end += 1;
    rest += text.charAt(at);
    at = end > at + MIN_SEQUENCE ? end - 1 : at + 1;
  }
  return rest;
}

/** Whether a password consists of repetitions and of sequences of letters, digits or adjacent keys. */
export function isPredictablePassword(password: string): boolean {
  const text = password.toLowerCase();
  const part = repeatedPart(text);
  if (part !== text && (lengthOf(part) < MIN_CHARACTERS || isListedPassword(part))) return true;
  return lengthOf(withoutSequences(part.replace(/(.)\1+/gsu, '$1'))) < MIN_REST;
}
