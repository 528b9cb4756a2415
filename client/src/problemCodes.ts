/** The code of every problem with which auth-service responds; docs/api.md says when. */
export const PROBLEM_CODES = [
  'invalid-input',
  'malformed-request',
  'wrong-credentials',
  'missing-token',
  'invalid-token',
  'ambiguous-cookies',
  'expired-token',
  'session-ended',
  'token-reused',
  'foreign-origin',
  'not-found',
  'method-not-allowed',
  'request-timeout',
  'email-taken',
  'body-too-large',
  'unsupported-media-type',
  'unknown-expectation',
  'headers-too-large',
  'internal-error',
  'too-many-attempts',
  'overloaded',
  'unavailable',
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];
