export { AuthProblem } from './AuthProblem.js';
export { createAuthClient, type AuthClient, type AuthClientOptions } from './createAuthClient.js';
export { FIELD_ERROR_CODES, type FieldErrorCode } from './fieldErrorCodes.js';
export { PROBLEM_CODES, type ProblemCode } from './problemCodes.js';
export type {
  Credentials,
  LogoutScope,
  Names,
  PasswordChange,
  ProblemError,
  Registration,
  Session,
  User,
} from './types.js';
