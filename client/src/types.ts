import type { FieldErrorCode } from './fieldErrorCodes.js';
import type { ProblemCode } from './problemCodes.js';

export interface Credentials {
  email: string;
  password: string;
}

export interface Names {
  firstName: string;
  lastName: string;
}

export type Registration = Credentials & Names;

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
}

/** An account as its owner sees it. */
export interface User extends Names {
  id: number;
  email: string;
  role: string;
  /** ISO 8601, as all times. */
  createdAt: string;
  updatedAt: string;
}

/** A session as its owner sees it. */
export interface Session {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
  userAgent: string | null;
  ipAddress: string | null;
  /** Whether it is the session of this browser. */
  current: boolean;
}

/** Which of the user's sessions a logout ends. */
export type LogoutScope = 'current' | 'others' | 'all';

/** An entry of `errors`. */
export interface ProblemError {
  type: string;
  /** The problem's own code if no field is at fault. */
  code: FieldErrorCode | ProblemCode;
  /** For people, in English. */
  msg: string;
  /** The name of the field; empty if none is at fault. */
  path: string;
  location: string;
}

/** The body of every error of auth-service (RFC 9457). */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The request id, also in the service's log. */
  instance: string;
  errors: ProblemError[];
}
