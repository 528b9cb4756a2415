interface Options {
  /** The origin of auth-service. */
  auth: string;
  /** The session is over: show the login form. Called once, until a request succeeds again. */
  onSignedOut: () => void;
}

/** A `fetch` with cookies that refreshes once and repeats a request whose access token has expired. */
export function createAuthFetch({ auth, onSignedOut }: Options) {
  let isSignedOut = false;
  let refreshing: Promise<Response> | undefined;

  /** One refresh at a time, however many requests wait for it. */
  const refresh = () => {
    refreshing ??= fetch(`${auth}/auth/refresh`, {
      method: 'POST',
      credentials: 'include',
    }).finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };

  return async (url: string, options: RequestInit = {}): Promise<Response> => {
    const send = () => fetch(url, { ...options, credentials: 'include' });
    let response = await send();
    if (response.status === 401 && !(await isWrongPassword(response))) {
      const refreshed = await refresh();
      if (refreshed.ok) response = await send();
      else if (refreshed.status !== 401)
        return refreshed.clone(); // 429, 503: still signed in
      else if (!isSignedOut) {
        isSignedOut = true;
        onSignedOut();
      }
    }
    if (response.ok) isSignedOut = false;
    return response;
  };
}

/** A login or a change of the password that failed: a new access token would not help. */
async function isWrongPassword(response: Response): Promise<boolean> {
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => undefined);
  return (
    (problem as { type?: string } | null)?.type === 'urn:auth-service:problem:wrong-credentials'
  );
}
