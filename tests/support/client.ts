import request, { type Response, type Test } from 'supertest';
import type { TestService } from './service';

let counter = 0;

export interface NewUser {
  firstName: string;
  lastName: string;
  email: string;
  password: string;
}

/** The body of a registration that is accepted; each with an e-mail of its own. */
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

export interface Cookie {
  value: string;
  /** Lower-case names; a flag's value is ''. */
  attributes: Record<string, string>;
}

/** The cookies that an answer sets, by name. */
export function cookiesOf(res: Response): Record<string, Cookie> {
  const headers = (res.headers['set-cookie'] ?? []) as unknown as string[];
  const cookies = headers.map((header) => {
    const [pair = '', ...rest] = header.split('; ');
    const at = pair.indexOf('=');
    const attributes = rest.map((part) => {
      const [name = '', value = ''] = part.split('=');
      return [name.toLowerCase(), value];
    });
    return [
      pair.slice(0, at),
      {
        value: pair.slice(at + 1),
        attributes: Object.fromEntries(attributes) as Cookie['attributes'],
      },
    ] as const;
  });
  return Object.fromEntries(cookies);
}

export interface Tokens {
  access?: string | undefined;
  refresh?: string | undefined;
}

/** Both tokens that an answer sets. */
export function tokensOf(res: Response): Required<Tokens> {
  const { access_token: access, refresh_token: refresh } = cookiesOf(res);
  return { access: access?.value, refresh: refresh?.value };
}

/** Whether the answer clears both cookies. */
export function clearsCookies(res: Response): boolean {
  const { access_token: access, refresh_token: refresh } = cookiesOf(res);
  return [access, refresh].every(
    (cookie) => cookie?.value === '' && cookie.attributes.expires?.includes('1970') === true,
  );
}

/** The `Cookie` header of these tokens. */
export function cookieHeader({ access, refresh }: Tokens): string {
  return [access && `access_token=${access}`, refresh && `refresh_token=${refresh}`]
    .filter(Boolean)
    .join('; ');
}

/** Requests to a service, each with just the tokens it is given. */
export function clientOf({ app }: Pick<TestService, 'app'>) {
  const send = (
    method: 'get' | 'post' | 'patch' | 'delete',
    path: string,
    tokens: Tokens = {},
  ): Test => {
    const test = request(app)[method](path);
    const header = cookieHeader(tokens);
    return header ? test.set('Cookie', header) : test;
  };
  return {
    send,
    register: (user: object = aUser()) => send('post', '/auth/register').send(user),
    login: (credentials: object) => send('post', '/auth/login').send(credentials),
    self: (tokens: Tokens) => send('get', '/auth/self', tokens),
    refresh: (tokens: Tokens) => send('post', '/auth/refresh', tokens),
    logout: (tokens: Tokens) => send('post', '/auth/logout', tokens),
  };
}
