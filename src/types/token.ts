/** Lifetimes in seconds. */
export interface TokenPair {
  accessToken: string;
  refreshToken: string;
  accessLifetime: number;
  refreshLifetime: number;
}

/** What this service reads from a verified access token. */
export interface AccessClaims {
  userId: number;
  sessionId: string;
  role: string;
}

/** What this service reads from a verified refresh token. */
export interface RefreshClaims {
  userId: number;
  sessionId: string;
  /** The jti: the digits of a 64-bit integer. */
  tokenId: string;
}
