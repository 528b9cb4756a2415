import { readFileSync } from 'node:fs';
import { lengthOf } from '../src/validators/lengthOf';
import { DIGEST_LENGTH, passwordDigest } from '../src/validators/passwordDigest';

const MIN_CHARACTERS = 8;

/** Prints commonPasswords.json for lists with one password per line. */
const words = process.argv
  .slice(2)
  .flatMap((file) => readFileSync(file, 'utf8').split(/\r?\n/))
  .filter((word) => lengthOf(word) >= MIN_CHARACTERS);
const numbers = Array.from(new Set(words.map(passwordDigest))).sort((one, two) => one - two);
const digests = Buffer.alloc(numbers.length * DIGEST_LENGTH);
numbers.forEach((number, at) => digests.writeUIntBE(number, at * DIGEST_LENGTH, DIGEST_LENGTH));

process.stdout.write(
  `${JSON.stringify({ passwords: numbers.length, digests: digests.toString('base64') }, null, 2)}\n`,
);
