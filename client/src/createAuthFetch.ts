import type { Renew } from './createRenewal.js';
import { problemBody } from './problemBody.js';
import type { SignIn } from './SignIn.js';
import { unlessAborted } from './unlessAborted.js';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * A `fetch` that renews the tokens after a 401 and then repeats the request once. During an outage or
 * above a limit it resolves to the 429 or 5xx of the service instead, because that is why it failed.
 *
 * Two requests are not repeated: one with a stream as its body, which can be read once only, and one
 * that was sent for another user, who has left in the meantime. Both get the 401.
 */
export function createAuthFetch(fetch: Fetch, signIn: SignIn, renew: Renew): Fetch {
  return async (input, init) => {
    const { renewals, userId } = signIn;
    const isRequest = input instanceof Request;
    const response = await fetch(isRequest ? input.clone() : input, init);
    if (response.status !== 401 || (await isWrongPassword(response))) return response;

    const signal = init?.signal ?? (isRequest ? input.signal : undefined);
    const refusal = await unlessAborted(renew(renewals), signal);
    if (refusal)
      return refusal.status === 429 || refusal.status >= 500 ? refusal.clone() : response;
    if (init?.body instanceof ReadableStream) return response;
    if (typeof userId === 'number' && userId !== signIn.userId) return response;
    // Otherwise the connection would stay busy until the garbage collector runs.
    await response.body?.cancel();
    return fetch(input, init);
  };
}

/** A change of the password that failed, for example: new tokens would not help. */
async function isWrongPassword(response: Response): Promise<boolean> {
  return (await problemBody(response))?.type === 'urn:auth-service:problem:wrong-credentials';
}
