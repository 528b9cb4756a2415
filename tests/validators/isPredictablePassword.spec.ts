import fc from 'fast-check';
import { isPredictablePassword } from '../../src/validators/isPredictablePassword';

const someCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((capitals) =>
      Array.from(text, (char, at) => (capitals[at] === true ? char.toUpperCase() : char)).join(''),
    );
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

describe('isPredictablePassword', () => {
  describe('when a password repeats a short text', () => {
    it('is true, even if the last repetition is cut', () => {
      const repeated = fc
        .record({
          part: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
          length: fc.integer({ min: 16, max: 72 }),
        })
        .filter(({ part }) => part.length <= 7)
        .map(({ part, length }) => part.repeat(length).slice(0, length));
      fc.assert(
        fc.property(repeated, (password) => {
          expect(isPredictablePassword(password)).toBe(true);
        }),
      );
    });
  });

  describe('when a password is a sequence', () => {
    it.each([ALPHABET, '1234567890', 'qwertyuiop', 'asdfghjkl', '1qaz2wsx3edc4rfv'])(
      'is true for a part of %s, from any place, in both directions and in any case',
      (row) => {
        const part = fc
          .record({
            at: fc.nat(row.length - 1),
            length: fc.integer({ min: 8, max: row.length }),
            backwards: fc.boolean(),
          })
          .map(({ at, length, backwards }) => {
            const text = (row + row).slice(at, at + length);
            return backwards ? Array.from(text).reverse().join('') : text;
          });
        fc.assert(
          fc.property(part.chain(someCase), (password) => {
            expect(isPredictablePassword(password)).toBe(true);
          }),
        );
      },
    );

    it.each([
      'aaaabbbb',
      'aabbccdd',
      '111222333',
      'abcd1234!',
      'qwe123asd',
      'йцукенгш',
      '12345678a',
    ])('is true for %s', (password) => {
      expect(isPredictablePassword(password)).toBe(true);
    });
  });

  describe('when a password is something else', () => {
    it.each([
      'correct horse battery',
      'properties',
      'typewriter',
      'my 12345 dogs',
      'Tr0ub4dor&3',
      'hello hello world',
    ])('is false for %s', (password) => {
      expect(isPredictablePassword(password)).toBe(false);
    });

    it('is false for words drawn at random', () => {
      const word = fc.constantFrom('horse', 'staple', 'battery', 'anchor', 'violet', 'kitchen');
      fc.assert(
        fc.property(fc.uniqueArray(word, { minLength: 3, maxLength: 5 }), (words) => {
          expect(isPredictablePassword(words.join(' '))).toBe(false);
        }),
      );
    });
  });
});
