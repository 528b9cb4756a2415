import { AuthProblem } from './AuthProblem.js';
import { createAuthFetch, type Fetch } from './createAuthFetch.js';
import { createRenewal } from './createRenewal.js';
import { exclusively } from './exclusively.js';
import { SignIn, type SignInListeners } from './SignIn.js';
import type {
  Credentials,
  LogoutScope,
  Names,
  PasswordChange,
  Registration,
  Session,
  User,
} from './types.js';

export interface AuthClientOptions {
  /** Where the service is, without `/auth`: `https://auth.example.com`, or `/api` of the same origin. */
  baseUrl: string;
  /** By default the global one. On a server: one that sends the cookies of the current request. */
  fetch?: Fetch;
  /** How long to wait for a refresh, and for one of another tab, in milliseconds. */
  timeout?: number;
}

/** What registration, login, refresh and a change of the password respond with. */
interface SignedIn {
  message: string;
  userId: number;
}

/**
 * Calls auth-service from a browser. The tokens are in cookies that scripts cannot read, so there is
 * nothing to store. All methods reject with an AuthProblem if the service refuses, and as `fetch` does
 * if it cannot be reached.
 */
export function createAuthClient({
  baseUrl,
  fetch: ownFetch,
  timeout = 10_000,
}: AuthClientOptions) {
  const base = baseUrl.replace(/\/$/, '');
  const name = `auth-service-client ${base}`;
  const signIn = new SignIn(name);

  const send: Fetch = (input, init) =>
    (ownFetch ?? globalThis.fetch)(input, { credentials: 'include', ...init });
  // Responses that set cookies must not overtake each other: the cookies of an earlier user would stay.
  const sendAlone: Fetch = (input, init) => exclusively(name, timeout, () => send(input, init));
  const renew = createRenewal({
    send: (path, init) => send(base + path, init),
    signIn,
    lock: name,
    timeout,
  });
  const authFetch = createAuthFetch(send, signIn, renew);
  const authFetchAlone = createAuthFetch(sendAlone, signIn, renew);

  async function call<T>(via: Fetch, method: string, path: string, body?: object): Promise<T> {
    const json = body && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    };
    const response = await via(`${base}/auth${path}`, { method, ...json });
    if (!response.ok) throw await AuthProblem.of(response);
    return (await response.json()) as T;
  }

  async function enter(path: string, body: object): Promise<SignedIn> {
    const result = await call<SignedIn>(sendAlone, 'POST', path, body);
    signIn.tell({ userId: result.userId, isLogin: true });
    return result;
  }

  return {
    /**
     * A `fetch` for this service and for all that accept its tokens: it sends cookies, and after a 401 it
     * refreshes the tokens and repeats the request once.
     */
    fetch: authFetch,

    register: (user: Registration) => enter('/register', user),
    login: (credentials: Credentials) => enter('/login', credentials),

    self: async (): Promise<User> => {
      const { user } = await call<{ user: User }>(authFetch, 'GET', '/self');
      signIn.learn({ userId: user.id });
      return user;
    },

    /** Rarely needed: `fetch` and all other methods refresh when it is necessary. */
    refresh: async (): Promise<void> => {
      const refusal = await renew(signIn.renewals);
      if (refusal) throw await AuthProblem.of(refusal);
    },

    /** Ends this session, all `others`, or `all` of the user. */
    logout: async (scope: LogoutScope = 'current'): Promise<void> => {
      try {
        await call(authFetchAlone, 'POST', `/logout?scope=${scope}`);
      } catch (error) {
        const isOver = error instanceof AuthProblem && signIn.userId === null;
        // It has ended already, which is what was asked for.
        if (isOver && scope === 'current') return;
        throw error;
      }
      if (scope !== 'others') signIn.tell({ userId: null });
    },

    sessions: {
      /** The most recently used first. */
      list: async (): Promise<Session[]> => {
        return (await call<{ sessions: Session[] }>(authFetch, 'GET', '/sessions')).sessions;
      },
      end: async (id: string): Promise<void> => {
        await call(authFetchAlone, 'DELETE', `/sessions/${encodeURIComponent(id)}`);
      },
      /** Ends all sessions of the user except this one; resolves to their number. */
      endOthers: async (): Promise<number> => {
        return (await call<{ ended: number }>(authFetch, 'DELETE', '/sessions')).ended;
      },
    },

    account: {
      rename: async (names: Partial<Names>): Promise<User> => {
        return (await call<{ user: User }>(authFetch, 'PATCH', '/self', names)).user;
      },
      /** Also ends all other sessions. */
      changePassword: async (change: PasswordChange): Promise<void> => {
        const { userId } = await call<SignedIn>(authFetchAlone, 'PATCH', '/password', change);
        signIn.tell({ userId });
      },
      delete: async (confirmation: { password: string }): Promise<void> => {
        await call(authFetchAlone, 'DELETE', '/self', confirmation);
        signIn.tell({ userId: null });
      },
    },

    /** Calls back in every tab when someone signs in, or another user does. Returns the way to stop. */
    onSignedIn: (listener: SignInListeners['in']) => signIn.on('in', listener),
    /** Calls back in every tab when the session is over; once, until someone signs in again. */
    onSignedOut: (listener: SignInListeners['out']) => signIn.on('out', listener),
  };
}

export type AuthClient = ReturnType<typeof createAuthClient>;
