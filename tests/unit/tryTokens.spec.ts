import { generateKeyPairSync } from 'node:crypto';
import { loadConfig } from '../../src/config';
import { keySetOf, type KeySet } from '../../src/keys/keySet';
import { TokenService } from '../../src/service/TokenService';
import { tryTokens } from '../../src/service/tryTokens';
import { environmentFor } from '../support/service';

const database = { host: 'h', port: 5432, username: 'u', password: 'p', name: 'n', poolSize: 1 };
const pairOf = (modulusLength: number) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return keySetOf(privateKey, publicKey);
};
const good = pairOf(2048);
const other = pairOf(2048);
const [publicKey] = [...good.verifying.values()];

const attempt = (
  current: KeySet,
  issuer = 'https://auth.example.com',
  audience = 'auth-service',
) => {
  const { tokens } = loadConfig(environmentFor(database));
  return tryTokens(new TokenService({ ...tokens, issuer, audience }, { current }, Date.now));
};

describe('tryTokens', () => {
  describe('when the keys sign and verify', () => {
    it('resolves', async () => {
      await expect(attempt(good)).resolves.toBeUndefined();
    });

    it('resolves for a large key with the longest issuer and audience', async () => {
      const longest = 'x'.repeat(255);
      await expect(attempt(pairOf(4096), longest, longest)).resolves.toBeUndefined();
    });
  });

  describe('when the key cannot sign', () => {
    it('rejects', async () => {
      if (!publicKey) throw new Error('there is no public key');
      const signing = { ...good.signing, privateKey: publicKey };
      await expect(attempt({ ...good, signing })).rejects.toThrow();
    });
  });

  describe('when the set verifies with another key than it signs with', () => {
    it('rejects, with no key of this id and with a wrong one', async () => {
      const verifying = new Map([
        [good.signing.kid, [...other.verifying.values()][0]],
      ]) as KeySet['verifying'];
      await expect(attempt({ ...good, verifying: other.verifying })).rejects.toThrow('invalid');
      await expect(attempt({ ...good, verifying })).rejects.toThrow('invalid');
    });
  });

  describe('when the tokens do not fit into a cookie', () => {
    it('rejects and says what to do', async () => {
      await expect(attempt(good, 'x'.repeat(3_000))).rejects.toThrow('use a smaller key');
    });
  });
});
