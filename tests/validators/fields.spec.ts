import fc from 'fast-check';
import { validationResult, type ValidationChain } from 'express-validator';
import type { FieldError } from '../../src/errors/fieldError';
import { emailField } from '../../src/validators/emailField';
import { nameField } from '../../src/validators/nameField';
import { newPasswordField } from '../../src/validators/newPasswordField';
import { passwordField } from '../../src/validators/passwordField';

/** The codes of a field's errors, and the value that the controller gets. */
async function verdictOn(chain: ValidationChain, field: string, value: unknown) {
  const req = { body: { [field]: value } };
  await chain.run(req);
  const codes = validationResult(req)
    .array()
    .map(({ msg }) => (msg as FieldError).code);
  return { codes, value: req.body[field] };
}
const email = (value: unknown) => verdictOn(emailField().chain, 'email', value);
const name = (value: unknown) => verdictOn(nameField('firstName').chain, 'firstName', value);

const codePoints = (pattern: RegExp) =>
  fc
    .oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0, max: 0x10ffff }))
    .map((code) => String.fromCodePoint(code))
    .filter((char) => char.isWellFormed() && pattern.test(char));

describe('the fields of a request', () => {
  const fields: [string, () => ValidationChain][] = [
    ['email', () => emailField().chain],
    ['firstName', () => nameField('firstName').chain],
    ['password', () => passwordField().chain],
    ['newPassword', () => newPasswordField('newPassword').chain],
  ];

  describe.each(fields)('when %s is very long', (field, chain) => {
    it('refuses it before it is normalized, trimmed or lower-cased', async () => {
      const long = fc
        .record({
          unit: fc.oneof(
            fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }),
            fc.constantFrom('\u0301', '\u0316\u0301', ' ', '\u{1f600}', '@', 'A'),
          ),
          length: fc.integer({ min: 513, max: 16_000 }),
        })
        .map(({ unit, length }) => ` A${unit.repeat(Math.ceil(length / unit.length))} `)
        .filter((text) => text.isWellFormed());
      await fc.assert(
        fc.asyncProperty(long, async (text) => {
          expect(await verdictOn(chain(), field, text)).toEqual({
            codes: ['too-long'],
            value: text,
          });
        }),
      );
    });
  });

  describe.each(fields)('when %s is not a string', (field, chain) => {
    it('gives one error', async () => {
      const other = fc.oneof(
        fc.jsonValue({ maxDepth: 3 }).filter((value) => typeof value !== 'string'),
        fc.constantFrom<unknown>(undefined, null, [], {}, ['ada@example.com'], { length: 9 }),
      );
      await fc.assert(
        fc.asyncProperty(other, async (value) => {
          const { codes } = await verdictOn(chain(), field, value);
          expect(codes).toEqual([value === undefined ? 'required' : 'wrong-type']);
        }),
      );
    });

    it('gives one error for a lone surrogate', async () => {
      const { codes } = await verdictOn(chain(), field, 'correct \ud83d horse');
      expect(codes).toEqual(['invalid-characters']);
    });
  });

  describe('when an e-mail has an invisible character', () => {
    it('refuses it in the local part and in the domain', async () => {
      // Form feed and similar are trimmed at both ends.
      const unseen = codePoints(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u);
      await fc.assert(
        fc.asyncProperty(unseen, async (char) => {
          for (const value of [`a${char}da@example.com`, `ada@exa${char}mple.com`])
            expect((await email(value)).codes).toEqual(['invalid-characters']);
        }),
      );
    });

    it.each([
      ['zero-width space', '\u200b'],
      ['right-to-left override', '\u202e'],
      ['soft hyphen', '\u00ad'],
      ['variation selector', '\ufe0f'],
      ['word joiner', '\u2060'],
      ['Hangul filler', '\u3164'],
      ['braille blank', '\u2800'],
      ['tag', '\u{e0061}'],
      ['fullwidth letter', '\uff41'],
      ['fullwidth full stop', '\uff0e'],
      ['ligature', '\ufb01'],
      ['mathematical letter', '\u{1d41a}'],
    ])('refuses a %s', async (_what, char) => {
      for (const value of [`a${char}da@example.com`, `ada@exa${char}mple.com`])
        expect((await email(value)).codes).toEqual(['invalid-characters']);
    });
  });

  describe('when an e-mail is in an ordinary script', () => {
    it.each([
      'jörg@example.com',
      'пётр@пример.рф',
      'νίκος@παράδειγμα.ελ',
      '田中@例え.jp',
      'น้ำ@ตัวอย่าง.ไทย',
      'և@օրինակ.հայ',
      'محمد@مثال.السعودية',
      "o'neil+tag@example.com",
    ])('accepts %s', async (value) => {
      expect((await email(value)).codes).toEqual([]);
    });
  });

  describe('when an e-mail has quotes or an invalid domain', () => {
    it.each(['"ada"@example.com', 'ada@example', 'ada@1.2.3.4', 'ada@0x7f.1', 'ada@example.com.'])(
      'refuses %s',
      async (value) => {
        expect((await email(value)).codes).toEqual(['invalid-email']);
      },
    );
  });

  describe('when only the spelling of an e-mail is too long', () => {
    it('accepts it', async () => {
      const address = `${'l'.repeat(64)}@${'d'.repeat(63)}.${'e'.repeat(63)}.${'f'.repeat(57)}.com`;
      expect(await email(' '.repeat(200) + address)).toEqual({ codes: [], value: address });
    });

    it('refuses it if the domain is longer in ASCII', async () => {
      const domain = Array.from({ length: 6 }, () => 'ü'.repeat(40)).join('.');
      expect((await email(`ada@${domain}.com`)).codes).toEqual(['too-long']);
    });
  });

  describe('when a name has nothing visible', () => {
    it.each([
      ['spaces', ' \u3000 '],
      ['zero-width joiner', '\u200d'],
      ['zero-width space', '\u200b\u200b'],
      ['soft hyphen', '\u00ad'],
      ['braille blank', '\u2800'],
      ['Hangul fillers', '\u3164\u115f\u1160\uffa0'],
      ['marks alone', '\u0301\u0302'],
      ['variation selector', '\ufe0f'],
    ])('refuses it: %s', async (_what, value) => {
      expect((await name(value)).codes).toEqual(['blank']);
    });
  });

  describe('when a name has a forbidden character', () => {
    it('refuses it at any position', async () => {
      const refused = codePoints(/[\p{Cc}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u);
      await fc.assert(
        fc.asyncProperty(refused, async (char) => {
          expect((await name(`A${char}da`)).codes).toEqual(['invalid-characters']);
        }),
      );
    });

    it.each(['\u202a', '\u202e', '\u2066', '\u2069', '\ue000', '\u{10fffd}', '\u2028', '\u0378'])(
      'is refused with %j',
      async (char) => {
        expect((await name(`A${char}da`)).codes).toEqual(['invalid-characters']);
      },
    );
  });

  describe('when a name is a real one', () => {
    it.each([
      "O'Neil",
      'O’Byron',
      'Jean-Luc',
      'Mary  Ann',
      'Nguyễn',
      'Nguye\u0302\u0303n',
      '郭',
      'محمد',
      'می\u200cخواهم',
      'क\u094d\u200dष',
      'שרה',
      'น้ำ',
      '𐐀',
      'X Æ A-12',
      '👩\u200d🚀',
      '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
      '!',
    ])('accepts %s', async (value) => {
      expect(await name(value)).toEqual({ codes: [], value });
    });
  });
});
