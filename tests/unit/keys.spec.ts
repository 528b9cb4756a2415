import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { KeyRing } from '../../src/keys/KeyRing';
import { KeyError, keySetOf, publicJwk } from '../../src/keys/keySet';
import { tempFolder } from '../harness/tempFolder';

const PAIR = generateKeyPairSync('rsa', { modulusLength: 2048 });
const OTHER = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

describe('keys', () => {
  let dir: string;
  beforeEach(() => {
    dir = tempFolder('keys');
  });

  const write = (privatePem: string | undefined, publicPem: string | undefined) => {
    if (privatePem !== undefined) writeFileSync(path.join(dir, 'private.pem'), privatePem);
    if (publicPem !== undefined) writeFileSync(path.join(dir, 'public.pem'), publicPem);
  };
  const load = async () =>
    (await KeyRing.open({ dir, privateKey: undefined, publicKeys: undefined })).current;
  const messageOf = async () => {
    try {
      await load();
    } catch (error) {
      expect(error).toBeInstanceOf(KeyError);
      return (error as Error).message;
    }
    throw new Error('the keys were accepted');
  };

  describe('when both are a pair', () => {
    it('loads them with the thumbprint as kid', async () => {
      write(pkcs8(PAIR.privateKey), spki(PAIR.publicKey));
      const keys = await load();
      const jwk = publicJwk(PAIR.publicKey);
      expect(keys.jwks).toEqual({ keys: [jwk] });
      expect(keys.signing.kid).toBe(jwk.kid);
      expect([...keys.verifying.keys()]).toEqual([jwk.kid]);
    });

    it('accepts the older PEM forms', async () => {
      write(
        PAIR.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
        PAIR.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      );
      expect((await load()).signing.kid).toBe(publicJwk(PAIR.publicKey).kid);
    });

    it('publishes nothing of the private key', () => {
      const published = JSON.stringify(keySetOf(PAIR.privateKey, PAIR.publicKey).jwks);
      const { d = '', p = '', q = '' } = PAIR.privateKey.export({ format: 'jwk' });
      for (const secret of [d, p, q]) expect(published).not.toContain(secret);
    });
  });

  describe('when the key is that of RFC 7638, section 3.1', () => {
    it('has the thumbprint given there', () => {
      const n =
        '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
      const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
      expect(publicJwk(key).kid).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
    });
  });

  describe('when a file is missing', () => {
    it.each([
      ['private.pem', undefined, spki(PAIR.publicKey)],
      ['public.pem', pkcs8(PAIR.privateKey), undefined],
    ])('names %s and the command that creates it', async (file, privatePem, publicPem) => {
      write(privatePem, publicPem);
      const message = await messageOf();
      expect(message).toContain(file);
      expect(message).toContain('node scripts/generateKeys.mjs');
    });
  });

  describe('when a key is invalid', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    it.each([
      ['RSA of 1024 bits', pkcs8(short.privateKey), spki(short.publicKey)],
      ['of an elliptic curve', pkcs8(curve.privateKey), spki(curve.publicKey)],
      ['for PSS signatures only', pkcs8(pss.privateKey), spki(pss.publicKey)],
      ['no pair', pkcs8(PAIR.privateKey), spki(OTHER.publicKey)],
      ['no PEM', 'private words', 'public words'],
      ['empty', '', ''],
      ['a public one in place of the private', spki(PAIR.publicKey), spki(PAIR.publicKey)],
      ['cut short', pkcs8(PAIR.privateKey).slice(0, 400), spki(PAIR.publicKey)],
      [
        'encrypted',
        PAIR.privateKey
          .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
          .toString(),
        spki(PAIR.publicKey),
      ],
    ])(
      'refuses one that is %s, in one line without its text',
      async (_what, privatePem, publicPem) => {
        write(privatePem, publicPem);
        const message = await messageOf();
        expect(message).not.toContain('\n');
        for (const line of `${privatePem}\n${publicPem}`.split('\n').filter(Boolean))
          expect(message).not.toContain(line);
      },
    );
  });
});
