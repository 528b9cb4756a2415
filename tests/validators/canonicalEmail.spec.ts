import fc from 'fast-check';
import { canonicalEmail } from '../../src/validators/canonicalEmail';
import { hiddenCharacters } from '../../src/validators/hiddenCharacters';

const FIRST_VISIBLE = 0x21;
const LAST = 0x10ffff;

/** Letters, marks, digits and signs of every script that the e-mail field accepts. */
const character = fc
  .oneof(
    fc.integer({ min: FIRST_VISIBLE, max: 0x24ff }),
    fc.integer({ min: FIRST_VISIBLE, max: LAST }),
    fc.constantFrom(...Array.from('ßẞςσΣıİKkÅåǰΐՑևดำ𐐀', (char) => Number(char.codePointAt(0)))),
  )
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  // A mark after the iota subscript moves to another letter in upper case.
  .filter((char) => !hiddenCharacters(char) && !char.normalize('NFD').includes('\u0345'));
const localPart = fc
  .array(character, { minLength: 1, maxLength: 12 })
  .map((characters) => characters.join(''));
const address = localPart.map((local) => `${local}@example.com`);

describe('canonicalEmail', () => {
  describe('when the text is already canonical', () => {
    it('returns it unchanged', () => {
      fc.assert(
        fc.property(address, (email) => {
          const canonical = canonicalEmail(email);
          expect(canonicalEmail(canonical)).toBe(canonical);
          expect(hiddenCharacters(canonical)).toBe(false);
        }),
        { numRuns: 2_000 },
      );
    });
  });

  describe('when a mailbox has another spelling', () => {
    it.each([
      ['capitals', (text: string) => text.toUpperCase()],
      ['small letters', (text: string) => text.toLowerCase()],
      ['small letters made of capitals', (text: string) => text.toUpperCase().toLowerCase()],
      ['decomposed letters', (text: string) => text.normalize('NFD')],
      ['composed letters', (text: string) => text.normalize('NFC')],
      ['spaces around', (text: string) => ` \t${text}\n`],
    ])('returns the same for %s', (_what, spell) => {
      fc.assert(
        fc.property(address, (email) => {
          expect(canonicalEmail(spell(email))).toBe(canonicalEmail(email));
        }),
        { numRuns: 2_000 },
      );
    });

    it.each([
      ['info@bücher.example', 'info@xn--bcher-kva.example'],
      ['info@BÜCHER.example', 'info@XN--BCHER-KVA.EXAMPLE'],
      ['info@bu\u0308cher.example', 'info@bücher.example'],
      ['info@例え\u3002example', 'info@例え.example'],
      ['straße@example.com', 'STRASSE@example.com'],
      ['νίκος@example.com', 'ΝΊΚΟΣ@example.com'],
      ['νίκοσ@example.com', 'ΝΊΚΟΣ@example.com'],
      ['\u212aelvin@example.com', 'kelvin@example.com'],
      ['ilk@example.com', 'ılk@example.com'],
    ])('unites %s and %s', (one, other) => {
      expect(canonicalEmail(one)).toBe(canonicalEmail(other));
      expect(canonicalEmail(one)).not.toBe('');
    });

    it('keeps apart domains that DNS keeps apart', () => {
      expect(canonicalEmail('ada@straße.example')).not.toBe(canonicalEmail('ada@strasse.example'));
    });

    it('keeps ordinary addresses as they are', () => {
      fc.assert(
        fc.property(fc.emailAddress(), (email) => {
          expect(canonicalEmail(email)).toBe(email.toLowerCase());
        }),
      );
    });
  });

  describe('when the domain is not valid', () => {
    it.each([
      'ada',
      'ada@',
      'ada@ex%61mple.com',
      'ada@example.com/x',
      'ada@a?b.com',
      'ada@xn--a.com',
    ])('returns an empty text for %s', (email) => {
      expect(canonicalEmail(email)).toBe('');
    });
  });
});
