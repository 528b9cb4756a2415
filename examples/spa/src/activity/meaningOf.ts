import type { Step } from './Step';

/** What a step means, for its colour and in words. */
export function meaningOf({ path, status }: Step): { kind: string; text: string } {
  if (status === undefined) return { kind: 'failed', text: 'no response' };
  const isRefresh = path.endsWith('/auth/refresh');
  if (isRefresh && status === 200) return { kind: 'refresh', text: 'new tokens for all tabs' };
  if (isRefresh && status === 401) return { kind: 'failed', text: 'nobody is signed in' };
  if (status === 401) return { kind: 'refused', text: 'no valid access token' };
  if (status === 429 || status >= 500)
    return { kind: 'failed', text: 'wait; nobody is logged out' };
  return status < 400 ? { kind: 'ok', text: 'success' } : { kind: 'failed', text: 'refused' };
}
