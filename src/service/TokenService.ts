import { createSecretKey, randomUUID, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import jwt, { type VerifyOptions } from 'jsonwebtoken';
import type { Config } from '../config';
import type { Keys, KeySet } from '../keys/keySet';
import { problem } from '../errors/problems';
import type { LiveSession } from '../types/session';
import type { AccessClaims, RefreshClaims, TokenPair } from '../types/token';
import { isSessionId } from './sessionId';

interface VerifiedToken {
  claims: AccessClaims;
  keys: KeySet;
  expiresAt: number;
}

const MAX_VERIFIED = 5_000;

const ACCESS_TYPE = 'at+jwt';
const REFRESH_TYPE = 'JWT';

/** Three base64url segments (RFC 7519 section 3), no longer than a cookie can be. */
const JWT_SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const MAX_TOKEN_LENGTH = 4096;

const MAX_USER_ID = 2 ** 31 - 1;
const MAX_TOKEN_ID = 2n ** 63n - 1n;

/** Given a callback, Node signs on its thread pool. */
const signOnThreadPool = promisify(sign);

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

const isUserId = (value: unknown): value is string =>
  typeof value === 'string' && /^[1-9]\d{0,9}$/.test(value) && Number(value) <= MAX_USER_ID;

const isTokenId = (value: unknown): value is string =>
  typeof value === 'string' && /^[1-9]\d{0,18}$/.test(value) && BigInt(value) <= MAX_TOKEN_ID;

/** Signs and verifies both kinds of token. Does not check whether the session is live. */
export class TokenService {
  /** The first signs; all verify. */
  private readonly refreshKeys: readonly [KeyObject, ...KeyObject[]];

  /** Access tokens verified with the current key set: a client sends the same one for an hour. */
  private readonly verified = new Map<string, VerifiedToken>();

  constructor(
    private readonly settings: Config['tokens'],
    private readonly keys: Keys,
    private readonly now: () => number,
  ) {
    const keyOf = (secret: string) => createSecretKey(Buffer.from(secret, 'utf8'));
    this.refreshKeys = [
      keyOf(settings.refreshSecret),
      ...settings.verifyingRefreshSecrets.map(keyOf),
    ];
  }

  /** A new access token, and the session's refresh token: the same bytes for the same row. */
  async issue(session: LiveSession): Promise<TokenPair> {
    const issuedAt = seconds(session.createdAt.getTime());
    const expiresAt = seconds(session.expiresAt.getTime());
    return {
      accessToken: await this.signAccessToken(session),
      refreshToken: this.signRefreshToken(session, issuedAt, expiresAt),
      accessLifetime: this.settings.accessLifetime,
      refreshLifetime: expiresAt - issuedAt,
    };
  }

  /** RFC 9068 section 4. @throws {Problem} `invalid-token`; `expired-token`. */
  verifyAccessToken(token: string): AccessClaims {
    const keys = this.keys.current;
    const known = this.verified.get(token);
    if (known?.keys === keys && known.expiresAt > seconds(this.now())) return known.claims;
    const { issuer, audience } = this.settings;
    const keysFor = (kid = '') => {
      const key = keys.verifying.get(kid);
      return key === undefined ? [] : [key];
    };
    const kind = { algorithms: ['RS256'], issuer, audience } satisfies VerifyOptions;
    const payload = this.verify(token, kind, ACCESS_TYPE, keysFor);
    const { aud, sub, sid, role, jti, exp } = payload;
    const isOurs =
      aud === audience && isUserId(sub) && isSessionId(sid) && typeof role === 'string';
    if (!isOurs || typeof jti !== 'string') throw unverified();
    const claims = { userId: Number(sub), sessionId: sid, role };
    if (this.verified.size >= MAX_VERIFIED) this.verified.clear();
    this.verified.set(token, { claims, keys, expiresAt: Number(exp) });
    return claims;
  }

  /**
   * The claims of a refresh token. Issuer and audience do not count: changing them logs nobody out.
   * @throws {Problem} `invalid-token`; `expired-token`.
   */
  verifyRefreshToken(token: string): RefreshClaims {
    const kind = { algorithms: ['HS256'] } satisfies VerifyOptions;
    const { sub, sid, jti } = this.verify(token, kind, REFRESH_TYPE, () => this.refreshKeys);
    if (!isUserId(sub) || !isSessionId(sid) || !isTokenId(jti)) throw unverified();
    return { userId: Number(sub), sessionId: sid, tokenId: jti };
  }

  /** Whether a token's payload contains this session id. Verifies nothing. */
  mentions(token: string, sessionId: string): boolean {
    const [, payload = ''] = token.split('.', 2);
    return Buffer.from(payload, 'base64url').includes(sessionId);
  }

  /** Signed on the thread pool (RFC 7515 section 5.1): jsonwebtoken would block the main thread. */
  private async signAccessToken({ userId, role, sessionId }: LiveSession): Promise<string> {
    const { issuer, audience, accessLifetime } = this.settings;
    const { kid, privateKey } = this.keys.current.signing;
    const iat = seconds(this.now());
    const header = { alg: 'RS256', typ: ACCESS_TYPE, kid };
    const claims = {
      iss: issuer,
      aud: audience,
      sub: String(userId),
      role,
      sid: sessionId,
      jti: randomUUID(),
      iat,
      exp: iat + accessLifetime,
    };
    const input = `${base64url(header)}.${base64url(claims)}`;
    const signature = await signOnThreadPool('RSA-SHA256', Buffer.from(input), privateKey);
    return `${input}.${signature.toString('base64url')}`;
  }

  private signRefreshToken({ userId, sessionId, tokenId }: LiveSession, iat: number, exp: number) {
    const { issuer, audience } = this.settings;
    return jwt.sign(
      { iss: issuer, aud: audience, sub: String(userId), sid: sessionId, jti: tokenId, iat, exp },
      this.refreshKeys[0],
      { algorithm: 'HS256', header: { alg: 'HS256', typ: REFRESH_TYPE } },
    );
  }

  /** Algorithm and type are fixed; `kid` only chooses among our own keys (RFC 8725, 3.1 and 3.11). */
  private verify(
    token: string,
    kind: VerifyOptions,
    type: string,
    keysFor: (kid: string | undefined) => readonly KeyObject[],
  ): Record<string, unknown> {
    if (token.length > MAX_TOKEN_LENGTH || !JWT_SHAPE.test(token)) throw unverified();
    try {
      const header = jwt.decode(token, { complete: true })?.header;
      const keys = header?.typ === type && !('crit' in header) ? keysFor(header.kid) : [];
      const clockTimestamp = seconds(this.now());
      const payload = verifyWithOneOf(keys, token, { ...kind, clockTimestamp });
      if (!isDated(payload)) throw unverified();
      return payload;
    } catch (cause) {
      if (cause instanceof jwt.TokenExpiredError) throw problem('expired-token', { cause });
      throw unverified(cause);
    }
  }
}

const unverified = (cause?: unknown) =>
  problem('invalid-token', { cause, audit: { cause: 'unverified' } });

function verifyWithOneOf(
  [key, ...others]: readonly KeyObject[],
  token: string,
  options: VerifyOptions,
): unknown {
  if (key === undefined) return undefined;
  try {
    return jwt.verify(token, key, options);
  } catch (error) {
    const isForeign =
      error instanceof jwt.JsonWebTokenError && error.message === 'invalid signature';
    if (!isForeign || others.length === 0) throw error;
    return verifyWithOneOf(others, token, options);
  }
}

/** jsonwebtoken accepts tokens that never expire, and payloads that are not objects. */
function isDated(payload: unknown): payload is Record<string, unknown> {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'exp' in payload &&
    typeof payload.exp === 'number' &&
    'iat' in payload &&
    typeof payload.iat === 'number'
  );
}
