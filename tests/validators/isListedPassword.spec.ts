import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import commonPasswords from '../../src/validators/commonPasswords.json';
import { isListedPassword } from '../../src/validators/isListedPassword';
import { DIGEST_LENGTH, passwordDigest } from '../../src/validators/passwordDigest';

const numbersOf = (digests: string) => {
  const bytes = Buffer.from(digests, 'base64');
  return Array.from({ length: bytes.length / DIGEST_LENGTH }, (_, at) =>
    bytes.readUIntBE(at * DIGEST_LENGTH, DIGEST_LENGTH),
  );
};

describe('the list of common passwords', () => {
  it('is sorted, without repetitions and complete', () => {
    const numbers = numbersOf(commonPasswords.digests);
    expect(numbers).toHaveLength(commonPasswords.passwords);
    expect(numbers.every((number, at) => at === 0 || number > Number(numbers[at - 1]))).toBe(true);
    expect(numbers.length).toBeGreaterThan(60_000);
  });

  describe('when a password is on it', () => {
    it.each(['88888888', 'trustno1', 'TrustNo1', 'iloveyou2', 'trustno1 1999', 'Trustno1-2031!'])(
      'knows %s',
      (password) => {
        expect(isListedPassword(password)).toBe(true);
      },
    );
  });

  describe('when a password is not on it', () => {
    it.each(['correct horse battery', '2031', 'x 1999', 'trustno1 1x99'])(
      'accepts %s',
      (password) => {
        expect(isListedPassword(password)).toBe(false);
      },
    );
  });

  describe('when it is packed from word lists', () => {
    it('contains each of their words of 8 characters or more once, ignoring case', () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'lists-'));
      try {
        const lists = ['one', 'two'].map((name) => path.join(folder, name));
        writeFileSync(String(lists[0]), 'password\r\nshort\nPASSWORD\n');
        writeFileSync(String(lists[1]), 'trustno1\npassword');
        const command = path.resolve('scripts/packPasswords.ts');
        const output = execFileSync(
          process.execPath,
          ['-r', 'ts-node/register/transpile-only', command, ...lists],
          { encoding: 'utf8' },
        );
        const { passwords, digests } = JSON.parse(output) as typeof commonPasswords;
        const expected = ['password', 'trustno1'].map(passwordDigest).sort((a, b) => a - b);
        expect(passwords).toBe(2);
        expect(numbersOf(digests)).toEqual(expected);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
});
