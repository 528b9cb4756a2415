/** Names a session and its user. */
export interface SessionOf {
  sessionId: string;
  userId: number;
}

/** A live session with its one live refresh token. */
export interface LiveSession extends SessionOf {
  role: string;
  /** The live refresh token's jti. */
  tokenId: string;
  /** When the live refresh token was issued. */
  createdAt: Date;
  /** When the live refresh token expires. */
  expiresAt: Date;
}

/** A session that a login or a registration has opened. */
export interface OpenedSession extends LiveSession {
  /** The ids of the user's earlier sessions that it replaced. */
  replaced: string[];
}

/** The user to open a session for; `passwordHash` is the one the password was verified against. */
export interface SessionOwner {
  id: number;
  passwordHash: string;
}

/** Why a presented refresh token counts as stolen. */
export type TheftCause = 'superseded' | 'tripwire' | 'unknown';

/** The verdicts on a refresh token after which the session goes on. */
export type RefreshVerdict = 'rotate' | 'replay' | 'recover';

/** A session after its refresh token was accepted. */
export interface RefreshedSession {
  verdict: RefreshVerdict;
  session: LiveSession;
}

/** A session as its owner sees it. */
export interface SessionDetails {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  userAgent: string | null;
  ipAddress: string | null;
  current: boolean;
}

/** Which of the user's sessions a logout ends. */
export type LogoutScope = 'current' | 'others' | 'all';
