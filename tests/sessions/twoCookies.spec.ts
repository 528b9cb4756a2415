import type { Response } from 'supertest';
import { Browser } from '../support/browser';
import { aUser, clientOf, cookiesOf, tokensOf, type NewUser, type Tokens } from '../support/client';
import { decoded } from '../support/jws';
import { expectProblem } from '../support/problem';
import { startService, type TestService } from '../support/service';

interface Person {
  id: number;
  user: NewUser;
  tokens: Required<Tokens>;
}

const OWN = ['access_token  /', 'refresh_token  /'];
const userIdOf = ({ body }: Response) =>
  (body as { userId?: number }).userId ?? (body as { user: { id: number } }).user.id;

describe('two cookies of the same name', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ COOKIE_SECURE: 'true' });
  });
  afterAll(() => service.stop());

  /** A user signed in with another browser. */
  const somebody = async (): Promise<Person> => {
    const user = aUser();
    const created = await clientOf(service).register(user).expect(201);
    return { id: userIdOf(created), user, tokens: tokensOf(created) };
  };
  /** A browser with a signed-in user. */
  const signedIn = async (app = service.app) => {
    const browser = new Browser(app);
    const user = aUser();
    return { browser, user, id: userIdOf(await browser.register(user)) };
  };
  const sessionsOf = (...ids: number[]) =>
    service.dataSource.query<object[]>(
      'SELECT id, session_id, predecessors FROM refresh_tokens WHERE user_id = ANY($1) ORDER BY id',
      [ids],
    );
  const expectAmbiguous = (res: Response) => {
    expect(expectProblem(res, 401).type).toBe('urn:auth-service:problem:ambiguous-cookies');
  };
  const expectUser = (res: Response, id: number) => {
    expect({ status: res.status, id: userIdOf(res) }).toEqual({ status: 200, id });
  };

  describe('when REFRESH_COOKIE_PATH changes from / to /auth', () => {
    const changed = () => service.withSettings({ REFRESH_COOKIE_PATH: '/auth' });

    it('keeps the session and no cookie at the former path', async () => {
      const { browser, id } = await signedIn();
      browser.app = changed();
      for (let turn = 0; turn < 3; turn += 1) {
        expectUser(await browser.refresh(), id);
        expect(browser.kept()).toEqual(['access_token  /', 'refresh_token  /auth']);
        await service.advance(11);
      }
    });

    it('serves the second user of the browser only as that user', async () => {
      const { browser } = await signedIn();
      browser.app = changed();
      const second = userIdOf(await browser.register());
      expectUser(await browser.self(), second);
      expectUser(await browser.refresh(), second);
      expectUser(await browser.self(), second);
    });

    it('refuses to refresh in a jar with both users, and clears it', async () => {
      const first = await somebody();
      const { browser, id, user } = await signedIn(changed());
      browser.plant(
        `refresh_token=${first.tokens.refresh}; Path=/; Secure`,
        'https://auth.example.com/',
      );
      const before = await sessionsOf(first.id, id);
      expectUser(await browser.self(), id);
      expectAmbiguous(await browser.refresh());
      expect(await sessionsOf(first.id, id)).toEqual(before);
      expect(browser.kept()).toEqual([]);
      expectUser(await browser.login(user), id);
      expectUser(await browser.refresh(), id);
    });

    it('uses the live token of the session, not the old one at the former path', async () => {
      const { browser, id } = await signedIn();
      const old = browser.valueOf('refresh_token');
      browser.app = changed();
      for (let turn = 0; turn < 2; turn += 1) {
        expectUser(await browser.refresh(), id);
        await service.advance(11);
      }
      browser.plant(`refresh_token=${old}; Path=/; Secure`, 'https://auth.example.com/');
      expectUser(await browser.refresh(), id);
      expect(browser.kept()).toEqual(['access_token  /', 'refresh_token  /auth']);
    });
  });

  describe('when COOKIE_DOMAIN changes', () => {
    it.each([
      ['from none to a domain', {}, { COOKIE_DOMAIN: 'example.com' }],
      [
        'from a domain to its parent',
        { COOKIE_DOMAIN: 'auth.example.com' },
        { COOKIE_DOMAIN: 'example.com' },
      ],
      ['from a domain to none', { COOKIE_DOMAIN: 'example.com' }, {}],
    ])('never mixes two users: %s', async (_how, former, later) => {
      const { browser } = await signedIn(service.withSettings(former));
      browser.app = service.withSettings(later);
      const user = aUser();
      const second = userIdOf(await browser.register(user));
      for (const step of ['self', 'refresh', 'self'] as const) {
        const res = await browser[step]();
        if (res.status === 200) expect(userIdOf(res)).toBe(second);
        else expect(res.status).toBe(401);
      }
      expectUser(await browser.login(user), second);
      expectUser(await browser.refresh(), second);
      expectUser(await browser.self(), second);
    });
  });

  describe('when a sibling subdomain plants cookies of a live session', () => {
    let attacker: Person;
    beforeAll(async () => {
      attacker = await somebody();
    });
    const PLACES = ['/', '/auth', '/auth/', '/auth/refresh', '/auth/self'].map(
      (path) => `Domain=example.com; Path=${path}; Secure`,
    );

    it.each(PLACES)('refuses the refresh, and clears the cookie of %s', async (place) => {
      const { browser, id, user } = await signedIn();
      browser.plant(`refresh_token=${attacker.tokens.refresh}; ${place}`);
      const before = await sessionsOf(attacker.id, id);
      const refused = await browser.refresh();
      // The browser does not send this one to /auth/refresh.
      if (place.includes('self')) {
        expectUser(refused, id);
        return;
      }
      expectAmbiguous(refused);
      expect(await sessionsOf(attacker.id, id)).toEqual(before);
      expect(browser.kept()).toEqual([]);
      expectProblem(await browser.refresh(), 401);
      expectUser(await browser.login(user), id);
    });

    it.each([
      ['get', '/auth/self'],
      ['get', '/auth/sessions'],
      ['delete', '/auth/sessions'],
      ['get', '/api/auth/self'],
    ] as const)('refuses %s %s with two access cookies, and clears them', async (method, path) => {
      const { browser, id } = await signedIn();
      browser.plant(
        `access_token=${attacker.tokens.access}; Domain=example.com; Path=${path}; Secure`,
      );
      const before = await sessionsOf(attacker.id, id);
      expectAmbiguous(await browser.send(method, path));
      expect(await sessionsOf(attacker.id, id)).toEqual(before);
      expect(browser.kept()).toEqual([]);
    });

    it('refuses a refresh without its own cookie, and clears the planted one', async () => {
      const { browser } = await signedIn();
      browser.plant('refresh_token=; Path=/; Max-Age=0; Secure', 'https://auth.example.com/');
      browser.plant(`refresh_token=${attacker.tokens.refresh}; ${String(PLACES[0])}`);
      expectAmbiguous(await browser.refresh());
      expect(browser.kept()).toEqual([]);
    });

    it('ends the session that both cookies name, and keeps the planted one', async () => {
      const { browser, id } = await signedIn();
      browser.plant(`refresh_token=${attacker.tokens.refresh}; ${String(PLACES[1])}`);
      expect((await browser.logout()).status).toBe(200);
      expect(await sessionsOf(id)).toEqual([]);
      expect(await sessionsOf(attacker.id)).toHaveLength(1);
      expect(browser.kept()).toEqual([]);
    });

    it('refuses a logout of two sessions and ends neither', async () => {
      const { browser, id } = await signedIn();
      browser.plant(`access_token=${attacker.tokens.access}; ${String(PLACES[1])}`);
      browser.plant(`refresh_token=${attacker.tokens.refresh}; ${String(PLACES[1])}`);
      expectAmbiguous(await browser.logout());
      expect(await sessionsOf(id, attacker.id)).toHaveLength(2);
      expect(browser.kept()).toEqual([]);
    });

    it('logs it with the user, without a token', async () => {
      const { browser } = await signedIn();
      browser.plant(`refresh_token=${attacker.tokens.refresh}; ${String(PLACES[1])}`);
      const res = await browser.refresh();
      const event = service.logs.find(({ requestId }) => requestId === res.headers['x-request-id']);
      expect(event).toMatchObject({ event: 'authz_fail', level: 'warn', cause: 'two sessions' });
      expect(JSON.stringify(service.logs)).not.toContain(attacker.tokens.refresh);
    });
  });

  describe('when one of them counts as absent', () => {
    const ended = async () => {
      const { tokens } = await somebody();
      await clientOf(service).logout(tokens).expect(200);
      return tokens;
    };
    const expired = async () => {
      const { id, tokens } = await somebody();
      const query = "UPDATE refresh_tokens SET expires_at = '2001-01-01' WHERE user_id = $1";
      await service.dataSource.query(query, [id]);
      return tokens;
    };
    it.each([
      ['is garbage', () => ({ access: 'garbage', refresh: 'a.b.c' })],
      ['is empty', () => ({ access: '', refresh: '' })],
      ['is JSON', () => ({ access: 'j:{}', refresh: 'j:[1]' })],
      ['is of a session that has ended', ended],
      ['is of a session that has expired', expired],
    ])('uses the other one if it %s', async (_what, planted) => {
      const { access, refresh } = await planted();
      const { browser, id } = await signedIn();
      for (const place of ['Path=/auth', 'Path=/']) {
        browser.plant(`access_token=${String(access)}; Domain=example.com; ${place}`);
        browser.plant(`refresh_token=${String(refresh)}; Domain=example.com; ${place}`);
      }
      expectUser(await browser.self(), id);
      expectUser(await browser.refresh(), id);
      expect((await browser.logout()).status).toBe(200);
      expect(await sessionsOf(id)).toEqual([]);
    });
  });

  describe('when there are more than eight', () => {
    it('refuses the request and clears them', async () => {
      const { browser, id } = await signedIn();
      const { access, refresh } = (await somebody()).tokens;
      const cookies = Array.from(
        { length: 8 },
        (_, n) => `access_token=x${n}; refresh_token=y${n}`,
      );
      const header = [...cookies, `access_token=${access}`, `refresh_token=${refresh}`].join('; ');
      for (const [method, path] of [
        ['get', '/auth/self'],
        ['post', '/auth/refresh'],
      ] as const) {
        const res = await clientOf(service).send(method, path).set('Cookie', header);
        expectAmbiguous(res);
        expect(cookiesOf(res)).toMatchObject({
          access_token: { value: '' },
          refresh_token: { value: '' },
        });
      }
      expectUser(await browser.self(), id);
    });
  });

  describe('when one value comes twice', () => {
    it('counts it as one cookie', async () => {
      const { id, tokens } = await somebody();
      const header = `access_token=${tokens.access}; refresh_token=${tokens.refresh}; access_token=${tokens.access}; refresh_token=${tokens.refresh}`;
      expectUser(await clientOf(service).send('get', '/auth/self').set('Cookie', header), id);
      expectUser(await clientOf(service).send('post', '/auth/refresh').set('Cookie', header), id);
    });
  });

  describe('when the host or the path of the request is made up', () => {
    it.each([
      ['DELETE', 'x'.repeat(200), '/auth/sessions/a;b'],
      ['DELETE', 'a_b.example.com', `/auth/sessions/${'x'.repeat(4_000)}`],
      ['DELETE', '127.0.0.1:80', '/auth/sessions/%3C%3E'],
      ['GET', 'a.b.c.d.e.f.g.h.example.com', '/auth/self?x=/a/b'],
      ['GET', '[::1]', '/auth/self'],
    ])('refuses and clears in a small response: %s %s %s', async (method, host, path) => {
      const [one, other] = [await somebody(), await somebody()];
      const send = method === 'GET' ? 'get' : 'delete';
      const res = await clientOf(service)
        .send(send, path)
        .set('Host', host)
        .set('Cookie', `access_token=${one.tokens.access}; access_token=${other.tokens.access}`);
      expectAmbiguous(res);
      const size = JSON.stringify(res.headers['set-cookie']).length;
      expect(size).toBeLessThan(4_096);
      expect(cookiesOf(res)).toMatchObject({
        access_token: { value: '' },
        refresh_token: { value: '' },
      });
    });
  });

  describe('when COOKIE_PREFIX is __Host-', () => {
    it('sets, reads and clears only cookies of that name, which nobody else can plant', async () => {
      const { browser, id } = await signedIn(service.withSettings({ COOKIE_PREFIX: '__Host-' }));
      const attacker = await somebody();
      expect(browser.kept()).toEqual(OWN.map((name) => `__Host-${name}`));
      for (const prefix of ['', '__Host-'])
        for (const [name, value] of Object.entries({
          access_token: attacker.tokens.access,
          refresh_token: attacker.tokens.refresh,
        }))
          browser.plant(`${prefix}${name}=${value}; Domain=example.com; Path=/auth; Secure`);
      expectUser(await browser.self(), id);
      expectUser(await browser.refresh(), id);
      expect((await browser.logout()).status).toBe(200);
      expect(await sessionsOf(id)).toEqual([]);
      expectProblem(await browser.self(), 401);
    });

    it('ignores an access token with the plain name', async () => {
      const app = service.withSettings({ COOKIE_PREFIX: '__Secure-' });
      const { tokens } = await somebody();
      expectProblem(await clientOf({ app }).self(tokens), 401);
      const header = `__Secure-access_token=${tokens.access}`;
      await clientOf({ app }).send('get', '/auth/self').set('Cookie', header).expect(200);
    });
  });

  describe('when a login is sent from a jar that holds sessions', () => {
    const idOf = (value: string) => decoded(value).payload.sid;

    it('ends the session of the same user', async () => {
      const { browser, user, id } = await signedIn();
      const former = idOf(browser.valueOf('access_token'));
      expectUser(await browser.login(user), id);
      const rows = await sessionsOf(id);
      expect(rows).toHaveLength(1);
      expect(rows).not.toMatchObject([{ session_id: former }]);
      expectUser(await browser.self(), id);
    });

    it('ends it with the refresh cookie alone, because the access cookie may have expired', async () => {
      const { browser, user, id } = await signedIn();
      browser.plant('access_token=; Path=/; Max-Age=0; Secure', 'https://auth.example.com/');
      await browser.login(user);
      expect(await sessionsOf(id)).toHaveLength(1);
    });

    it('keeps the sessions of the user’s other browsers and of other users', async () => {
      const other = await somebody();
      const { browser, user, id } = await signedIn();
      await clientOf(service).login(user).expect(200);
      browser.plant(`refresh_token=${other.tokens.refresh}; Domain=example.com; Path=/`);
      await browser.login(user);
      expect(await sessionsOf(id)).toHaveLength(2);
      expect(await sessionsOf(other.id)).toHaveLength(1);
    });

    it('ends nothing when the password is wrong', async () => {
      const { browser, user, id } = await signedIn();
      expectProblem(await browser.login({ ...user, password: 'wrong password' }), 401);
      expectUser(await browser.self(), id);
    });

    it('opens one session for each of several parallel logins, and ends the former', async () => {
      const { browser, user, id } = await signedIn();
      const former = idOf(browser.valueOf('access_token'));
      const logins = await Promise.all(Array.from({ length: 4 }, () => browser.login(user)));
      for (const res of logins) expectUser(res, id);
      const rows = await sessionsOf(id);
      expect(rows).toHaveLength(4);
      expect(rows).not.toContainEqual(expect.objectContaining({ session_id: former }));
      expectUser(await browser.self(), id);
    });
  });
});
