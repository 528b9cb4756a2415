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

/** Where the one router is mounted. */
export const MOUNTS = ['/auth', '/api/auth'];

/** The attributes of a cookie that clearing must repeat: all but its life. */
export function lastingAttributes({ attributes }: Cookie): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !['expires', 'max-age'].includes(name)),
  );
}

/** Requests to a service, each with just the tokens it is given. */
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
    /** A body that is sent as it stands, whatever it claims to be. */
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
