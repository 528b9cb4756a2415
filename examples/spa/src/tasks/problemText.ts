import { AuthProblem } from 'auth-service-client';

/** Why something failed, and what to do, in words. */
export function problemText(error: unknown): string {
  if (!(error instanceof AuthProblem))
    return 'The service cannot be reached. Check your connection and try again.';
  const wait = error.retryAfter > 0 ? ` in ${duration(error.retryAfter)}` : ' in a moment';
  if (error.code === 'wrong-credentials') return 'The e-mail or the password is wrong.';
  if (error.status === 429) return `Too many attempts. Try again${wait}.`;
  if (error.status >= 500) return `The service is busy. Try again${wait}.`;
  if (error.status === 401) return 'You are not signed in any more. Log in again.';
  if (error.status === 403) return 'You are not allowed to do this.';
  const reference = error.requestId === undefined ? '' : ` Reference: ${error.requestId}.`;
  return `This did not work: ${error.message}.${reference}`;
}

function duration(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  if (seconds <= 60) return `${Math.ceil(seconds)} s`;
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
