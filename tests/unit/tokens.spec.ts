import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { keySetOf } from '../../src/keys/keySet';
import { loadConfig } from '../../src/config';
import { TokenService } from '../../src/service/TokenService';
import type { TokenPair } from '../../src/types/token';
import { FOREIGN_PARTIES, badAccessTokens, badRefreshTokens } from '../support/badTokens';
import { altered, decoded, hs256, rs256 } from '../support/jws';
import { REFRESH_SECRET, environmentFor } from '../support/service';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = keySetOf(privateKey, publicKey);
const database = { host: 'h', port: 5432, username: 'u', password: 'p', name: 'n', poolSize: 1 };
const settings = loadConfig(environmentFor(database)).tokens;
const START = Date.UTC(2030, 0, 1);

let clock = START;
const tokens = new TokenService(settings, { current: keys }, () => clock);
const session = {
  sessionId: randomUUID(),
  userId: 2 ** 31 - 1,
  role: 'customer',
  tokenId: String(2n ** 63n - 1n),
  createdAt: new Date(START + 987),
  expiresAt: new Date(START + 987 + 2_592_000_000),
};

const failure = (verify: () => unknown) => {
  try {
    return { accepted: verify() };
  } catch (error) {
    const { status, code, headers } = error as {
      status?: number;
      code?: string;
      headers?: Record<string, string>;
    };
    return { status, code, challenge: headers?.['WWW-Authenticate'] };
  }
};
const challenge = expect.stringMatching(/^Bearer /) as string;
const invalid = { status: 401, code: 'invalid-token', challenge };
const expired = { status: 401, code: 'expired-token', challenge };

/** The codes for tokens that are invalid or expired. */
const refusals = (cases: readonly { what: string }[]) =>
  cases.map(({ what }) => ({ what, outcome: what === 'long expired' ? expired : invalid }));

describe('TokenService', () => {
  let pair: TokenPair;
  beforeEach(async () => {
    clock = START;
    pair = await tokens.issue(session);
  });

  describe('when a session’s tokens are verified', () => {
    it('returns the claims, up to the largest ids', () => {
      const { sessionId, userId, role, tokenId } = session;
      expect(tokens.verifyAccessToken(pair.accessToken)).toEqual({ sessionId, userId, role });
      expect(tokens.verifyRefreshToken(pair.refreshToken)).toEqual({ sessionId, userId, tokenId });
    });

    it('issues the same refresh token for the same row at any time', async () => {
      clock += 9_000;
      const again = await tokens.issue(session);
      expect(again.refreshToken).toBe(pair.refreshToken);
      expect(again.accessToken).not.toBe(pair.accessToken);
    });

    it('issues a new access token each time, even within one second', async () => {
      const again = await tokens.issue(session);
      expect(again.accessToken).not.toBe(pair.accessToken);
    });

    it('contains no personal data', () => {
      const { payload } = decoded(pair.accessToken);
      expect(Object.keys(payload).sort()).toEqual(
        ['aud', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub'].sort(),
      );
    });
  });

  describe('when an access token is not valid', () => {
    it('refuses it', () => {
      const cases = badAccessTokens({ keys }, pair.accessToken, pair.refreshToken);
      const outcomes = cases.map(({ what, token }) => ({
        what,
        outcome: failure(() => tokens.verifyAccessToken(token)),
      }));
      expect(outcomes).toEqual(refusals(cases));
    });
  });

  describe('when a refresh token is not valid', () => {
    it('refuses it', () => {
      const cases = badRefreshTokens({ keys }, pair.refreshToken, pair.accessToken);
      const outcomes = cases.map(({ what, token }) => ({
        what,
        outcome: failure(() => tokens.verifyRefreshToken(token)),
      }));
      expect(outcomes).toEqual(refusals(cases));
    });
  });

  describe('when a valid token is signed again, unchanged', () => {
    it('accepts it, so the cases above fail because of their change', () => {
      const access = altered(pair.accessToken, {}, rs256(privateKey));
      const refresh = altered(pair.refreshToken, {}, hs256(REFRESH_SECRET));
      expect(tokens.verifyAccessToken(access)).toMatchObject({ userId: session.userId });
      expect(tokens.verifyRefreshToken(refresh)).toMatchObject({ tokenId: session.tokenId });
    });
  });

  describe('when a refresh token has another issuer or audience', () => {
    it.each(FOREIGN_PARTIES)('accepts it: %s', (_what, payload) => {
      const token = altered(pair.refreshToken, { payload }, hs256(REFRESH_SECRET));
      expect(tokens.verifyRefreshToken(token)).toMatchObject({ tokenId: session.tokenId });
    });
  });

  describe('when the refresh secret changes', () => {
    const [first, second] = [
      'the first secret of this service',
      'the second secret of this service',
    ];
    const serviceWith = (variables: NodeJS.ProcessEnv) => {
      const { tokens } = loadConfig(environmentFor(database, variables));
      return new TokenService(tokens, { current: keys }, () => clock);
    };
    const before = serviceWith({ REFRESH_JWT_SECRET: first });
    const published = serviceWith({ REFRESH_JWT_SECRET: first, REFRESH_JWT_SECRET_NEXT: second });
    const switched = serviceWith({
      REFRESH_JWT_SECRET: second,
      REFRESH_JWT_SECRET_PREVIOUS: first,
    });
    const after = serviceWith({ REFRESH_JWT_SECRET: second });

    it('signs with REFRESH_JWT_SECRET, and verifies with the next and the previous one', async () => {
      const [old, next] = [await before.issue(session), await after.issue(session)];
      expect(await published.issue(session)).toMatchObject({ refreshToken: old.refreshToken });
      expect(await switched.issue(session)).toMatchObject({ refreshToken: next.refreshToken });
      for (const replica of [published, switched])
        for (const { refreshToken } of [old, next])
          expect(replica.verifyRefreshToken(refreshToken)).toMatchObject({
            tokenId: session.tokenId,
          });
      expect(failure(() => before.verifyRefreshToken(next.refreshToken))).toEqual(invalid);
      expect(failure(() => after.verifyRefreshToken(old.refreshToken))).toEqual(invalid);
    });
  });

  describe('when time passes', () => {
    it('accepts an access token until the end of its hour', () => {
      clock = START + 3_599_999;
      expect(tokens.verifyAccessToken(pair.accessToken)).toMatchObject({ role: 'customer' });
      clock = START + 3_600_000;
      expect(failure(() => tokens.verifyAccessToken(pair.accessToken))).toEqual(expired);
    });

    it('accepts a refresh token for its 30 days', () => {
      clock = START + 2_591_999_999;
      expect(tokens.verifyRefreshToken(pair.refreshToken)).toMatchObject({
        userId: session.userId,
      });
      clock = START + 2_592_000_000;
      expect(failure(() => tokens.verifyRefreshToken(pair.refreshToken))).toEqual(expired);
    });
  });

  describe('when several keys are known', () => {
    it('chooses by kid among them only', async () => {
      const old = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const oldKeys = keySetOf(old.privateKey, old.publicKey);
      const both = new TokenService(
        settings,
        { current: keySetOf(privateKey, publicKey, [old.publicKey]) },
        () => clock,
      );
      const before = new TokenService(settings, { current: oldKeys }, () => clock);
      const earlier = (await before.issue(session)).accessToken;
      expect(both.verifyAccessToken(earlier)).toMatchObject({ userId: session.userId });
      expect(both.verifyAccessToken(pair.accessToken)).toMatchObject({ userId: session.userId });
      const header = { kid: keys.signing.kid };
      const crossed = altered(earlier, { header }, rs256(old.privateKey));
      expect(failure(() => both.verifyAccessToken(crossed))).toEqual(invalid);
      expect(failure(() => tokens.verifyAccessToken(earlier))).toEqual(invalid);
    });
  });
});
