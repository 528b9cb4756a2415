/** Identifies a session and its user. */
export interface SessionOf {
  sessionId: string;
  userId: number;
}

/** A live session. `tokenId`, `createdAt` and `expiresAt` are those of its live refresh token. */
export interface LiveSession extends SessionOf {
  role: string;
  tokenId: string;
  createdAt: Date;
  expiresAt: Date;
}

export interface OpenedSession extends LiveSession {
  /** The ids of earlier sessions of the user that ended. */
  replaced: string[];
}

/** The user to open a session for; `passwordHash` is the one that was verified. */
export interface SessionOwner {
  id: number;
  passwordHash: string;
}

/** Why a presented refresh token counts as stolen. */
export type TheftCause = 'superseded' | 'tripwire' | 'unknown';

/** The verdicts on a refresh token that keep the session alive. */
export type RefreshVerdict = 'rotate' | 'replay' | 'recover';

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
