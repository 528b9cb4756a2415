import type { Cookie } from './harness/cookiesOf';
import {
  MOUNTS,
  aUser,
  clientOf,
  cookiesOf,
  lastingAttributes,
  tokensOf,
  type Tokens,
} from './support/client';
import { startService, type TestService } from './support/service';

const PROD = {
  NODE_ENV: 'prod',
  CLIENT_UI_DOMAIN: 'https://app.example.com',
  JWT_ISSUER: 'https://auth.example.com',
};

interface Case {
  what: string;
  settings: NodeJS.ProcessEnv;
  access: Record<string, string>;
  refresh: Record<string, string>;
}

const strict = { httponly: '', samesite: 'Strict' };
const both = (attributes: Record<string, string>) => ({ access: attributes, refresh: attributes });

const CASES: Case[] = [
  { what: 'by default in test', settings: {}, ...both({ ...strict, path: '/' }) },
  {
    what: 'by default in dev',
    settings: { NODE_ENV: 'dev' },
    ...both({ ...strict, path: '/' }),
  },
  {
    what: 'by default in prod',
    settings: PROD,
    ...both({ ...strict, path: '/', secure: '' }),
  },
  {
    what: 'with COOKIE_DOMAIN',
    settings: { ...PROD, COOKIE_DOMAIN: 'example.com' },
    ...both({ ...strict, path: '/', secure: '', domain: 'example.com' }),
  },
  {
    what: 'with COOKIE_SAME_SITE=none in prod',
    settings: { ...PROD, COOKIE_SAME_SITE: 'none' },
    ...both({ httponly: '', samesite: 'None', path: '/', secure: '' }),
  },
  {
    what: 'with COOKIE_SAME_SITE=lax',
    settings: { COOKIE_SAME_SITE: 'lax' },
    ...both({ httponly: '', samesite: 'Lax', path: '/' }),
  },
  {
    what: 'with COOKIE_SECURE=true in test',
    settings: { COOKIE_SECURE: 'true' },
    ...both({ ...strict, path: '/', secure: '' }),
  },
  {
    what: 'with REFRESH_COOKIE_PATH',
    settings: { REFRESH_COOKIE_PATH: '/auth' },
    access: { ...strict, path: '/' },
    refresh: { ...strict, path: '/auth' },
  },
];

describe.each(CASES)('cookies $what', ({ settings, access, refresh }) => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService(settings);
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const given = (cookies: Record<string, Cookie>) => {
    const { access_token: one, refresh_token: two, ...others } = cookies;
    expect(others).toEqual({});
    if (!one || !two) throw new Error('a cookie is missing');
    return { access: one, refresh: two };
  };
  const attributesOf = (cookies: Record<string, Cookie>) => {
    const pair = given(cookies);
    return { access: lastingAttributes(pair.access), refresh: lastingAttributes(pair.refresh) };
  };

  describe.each(MOUNTS)('when %s sets them', (mount) => {
    it('sets exactly these attributes and lifetimes at each route', async () => {
      const there = clientOf(service, mount);
      const user = aUser();
      const created = await there.register(user).expect(201);
      const loggedIn = await there.login(user).expect(200);
      const refreshed = await there.refresh(tokensOf(created)).expect(200);
      for (const res of [created, loggedIn, refreshed]) {
        const cookies = cookiesOf(res);
        expect(attributesOf(cookies)).toEqual({ access, refresh });
        expect(given(cookies).access.attributes['max-age']).toBe('3600');
        expect(given(cookies).refresh.attributes['max-age']).toBe('2592000');
        for (const [name, { value }] of Object.entries(cookies)) {
          expect(value).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
          expect(name.length + value.length).toBeLessThanOrEqual(4096);
        }
      }
    });
  });

  describe('when it clears them', () => {
    const expectCleared = (cookies: Record<string, Cookie>) => {
      expect(attributesOf(cookies)).toEqual({ access, refresh });
      for (const { value, attributes } of Object.values(cookies)) {
        expect(value).toBe('');
        const { expires, 'max-age': maxAge } = attributes;
        expect(Date.parse(expires ?? '') <= 0 || maxAge === '0').toBe(true);
      }
    };

    it('repeats the attributes at logout', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      expectCleared(cookiesOf(await client.logout(tokens).expect(200)));
    });

    it('repeats the attributes at a refresh of an ended session', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      await client.logout(tokens).expect(200);
      expectCleared(cookiesOf(await client.refresh(tokens).expect(401)));
    });

    it('repeats the attributes at a theft', async () => {
      const stolen: Tokens = tokensOf(await client.register().expect(201));
      const second = tokensOf(await client.refresh(stolen).expect(200));
      await service.advance(11);
      await client.refresh(second).expect(200);
      expectCleared(cookiesOf(await client.refresh(stolen).expect(401)));
    });
  });
});
