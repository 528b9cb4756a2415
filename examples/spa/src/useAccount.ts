import type { User } from 'auth-service-client';
import { useCallback, useEffect, useState } from 'react';
import { auth } from './auth';

type Account =
  | { status: 'loading' }
  | { status: 'signedIn'; user: User }
  | { status: 'signedOut'; hasLeft: boolean }
  | { status: 'failed'; error: unknown };

/** Who is signed in. It follows what happens in other tabs. */
export function useAccount() {
  const [account, setAccount] = useState<Account>({ status: 'loading' });
  const show = useCallback((user: User) => setAccount({ status: 'signedIn', user }), []);

  const load = useCallback(async () => {
    try {
      const user = await auth.self();
      // It may have ended since the request was sent.
      setAccount((now) => (now.status === 'signedOut' ? now : { status: 'signedIn', user }));
    } catch (error) {
      // Only onSignedOut means that nobody is signed in. Everything else is an outage.
      setAccount((now) => (now.status === 'loading' ? { status: 'failed', error } : now));
    }
  }, []);

  const retry = useCallback(() => {
    setAccount({ status: 'loading' });
    return load();
  }, [load]);

  useEffect(() => {
    void load();
    const stopIn = auth.onSignedIn(() => void retry());
    const stopOut = auth.onSignedOut(() =>
      setAccount((now) => ({ status: 'signedOut', hasLeft: now.status === 'signedIn' })),
    );
    // The back button may bring back a page of an ended session, as it was.
    const restore = ({ persisted }: PageTransitionEvent) => persisted && void load();
    window.addEventListener('pageshow', restore);
    return () => {
      stopIn();
      stopOut();
      window.removeEventListener('pageshow', restore);
    };
  }, [load, retry]);

  return { account, show, retry };
}
