import { exclusively } from './exclusively.js';
import { problemBody } from './problemBody.js';
import { retryAfter } from './retryAfter.js';
import type { SignIn } from './SignIn.js';

interface Dependencies {
  /** Sends a request to a path of the service. */
  send: (path: string, init?: RequestInit) => Promise<Response>;
  signIn: SignIn;
  lock: string;
  timeout: number;
}

/**
 * Renews the tokens after a request has failed with 401: once for all requests that wait, and once for
 * all tabs. `seen` is what `signIn.renewals` was before that request: if the tokens were renewed since
 * then, there is nothing to do.
 *
 * Resolves to undefined when there are new tokens, otherwise to the response that says why not: 401 at
 * the end of the session. Its body may be read through a clone only. Rejects as `fetch` does.
 */
export type Renew = (seen: number) => Promise<Response | undefined>;

export function createRenewal({ send, signIn, lock, timeout }: Dependencies): Renew {
  let running: Promise<Response | undefined> | undefined;
  /** The tokens with which the last of the waiting requests has failed. */
  let newest = 0;
  let refused: { response: Response; until: number } | undefined;

  const ask = (path: string, init?: RequestInit) =>
    send(path, { ...init, signal: AbortSignal.timeout(timeout) });

  const refresh = async () => {
    const response = await ask('/auth/refresh', { method: 'POST' });
    if (response.ok) {
      const { userId } = await bodyOf<{ userId: number }>(response);
      // The page of a captive portal, for example, is no sign of new tokens.
      if (userId === undefined)
        throw new TypeError('the response to the refresh is not of the service');
      signIn.tell({ userId });
      return undefined;
    }
    if (response.status === 401 && (await problemBody(response))) signIn.tell({ userId: null });
    // Not by the clock of the day, which may be set back.
    refused = { response, until: performance.now() + retryAfter(response) * 1000 };
    return response;
  };

  /** Whether the tokens are good; the tab that held the lock may have renewed them. */
  const areGood = async () => {
    const response = await ask('/auth/self');
    const { user } = await bodyOf<{ user: { id: number } }>(response);
    if (user) signIn.learn({ userId: user.id });
    return user !== undefined;
  };

  return (seen) => {
    newest = Math.max(newest, seen);
    running ??= exclusively(lock, timeout, async (waited) => {
      if (signIn.renewals > newest || (waited && (await areGood()))) return undefined;
      return refused && performance.now() < refused.until ? refused.response : refresh();
    }).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function bodyOf<T>(response: Response): Promise<Partial<T>> {
  return (await response.json().catch(() => ({}))) as Partial<T>;
}
