import { randomUUID } from 'node:crypto';
import type { TokenService } from './TokenService';

// The largest values give the longest tokens.
const USER_ID = 2 ** 31 - 1;
const TOKEN_ID = String(2n ** 63n - 1n);
const ROLE = 'x'.repeat(32);

/** Browsers drop a cookie of more than 4 096 bytes (RFC 6265 section 6.1), name included. */
const MAX_TOKEN_LENGTH = 4_096 - 64;

/**
 * Signs and verifies two tokens at the start: a failure later would come after a committed registration.
 * @throws {Error} if the keys do not sign, or the tokens do not fit into a cookie.
 */
export async function tryTokens(tokens: TokenService): Promise<void> {
  const createdAt = new Date();
  const { accessToken, refreshToken } = await tokens.issue({
    userId: USER_ID,
    sessionId: randomUUID(),
    role: ROLE,
    tokenId: TOKEN_ID,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + 60_000),
  });
  if (Math.max(accessToken.length, refreshToken.length) > MAX_TOKEN_LENGTH)
    throw new Error('the tokens are too long for a cookie: use a smaller key or a shorter issuer');
  tokens.verifyAccessToken(accessToken);
  tokens.verifyRefreshToken(refreshToken);
}
