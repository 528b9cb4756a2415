import request, { type Response, type Test } from 'supertest';
import { cookieHeader } from '../harness/cookieHeader';
import { cookiesOf as cookiesOfLines, type Cookie } from '../harness/cookiesOf';
import { tokensOf as tokensOfLines } from '../harness/tokensOf';
import type { TestService } from './service';

let counter = 0;

export interface NewUser {
  firstName: string;
  lastName: string;
  email: string;
  password: string;
}

/** The body of a valid registration, each with a new e-mail. */
export function aUser(overrides: Partial<NewUser> = {}): NewUser {
  counter += 1;
  return {
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: `ada.${process.pid}.${counter}@example.com`,
    password: 'correct horse battery',
    ...overrides,
  };
}

/** The cookies that a response sets, by name. */
export function cookiesOf(res: Response): Record<string, Cookie> {
  return cookiesOfLines(setCookies(res));
}

export interface Tokens {
  access?: string | undefined;
  refresh?: string | undefined;
}

/** Both tokens that a response sets. */
export function tokensOf(res: Response): Required<Tokens> {
  return tokensOfLines(setCookies(res));
}

const setCookies = (res: Response) => (res.headers['set-cookie'] ?? []) as unknown as string[];

/** Whether the response clears both cookies. */
export function clearsCookies(res: Response): boolean {
  const { access_token: access, refresh_token: refresh } = cookiesOf(res);
  return [access, refresh].every(
    (cookie) => cookie?.value === '' && cookie.attributes.expires?.includes('1970') === true,
  );
}

/** Where the router is mounted. */
export const MOUNTS = ['/auth', '/api/auth'];

/** The attributes that clearing a cookie must repeat: all but the lifetime. */
export function lastingAttributes({ attributes }: Cookie): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !['expires', 'max-age'].includes(name)),
  );
}

/** Requests to a service, each with only the given tokens. */
export function clientOf({ app }: Pick<TestService, 'app'>, mount = '/auth') {
  const send = (
    method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete' | 'options',
    path: string,
    tokens: Tokens = {},
  ): Test => {
    const test = request(app)[method](path);
    const header = cookieHeader(tokens);
    return header ? test.set('Cookie', header) : test;
  };
  return {
    send,
    /** A body that is sent unchanged with the given headers. */
    raw: (method: 'post' | 'patch' | 'delete', path: string, body: string | Buffer): Test =>
      request(app)
        [method](path)
        .set('Content-Type', 'application/json')
        .serialize((bytes: unknown) => bytes as string)
        .send(Buffer.from(body)),
    register: (user: object = aUser()) => send('post', `${mount}/register`).send(user),
    login: (credentials: object) => send('post', `${mount}/login`).send(credentials),
    self: (tokens: Tokens) => send('get', `${mount}/self`, tokens),
    refresh: (tokens: Tokens) => send('post', `${mount}/refresh`, tokens),
    logout: (tokens: Tokens) => send('post', `${mount}/logout`, tokens),
  };
}
