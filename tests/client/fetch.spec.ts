import type http from 'node:http';
import { AuthProblem, type AuthClient } from '../../client/src/index';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { startLine, type DatabaseLine } from '../support/proxy';
import { startService, type TestService } from '../support/service';
import { listen } from './listen';
import { Profile } from './Profile';

const REFRESH = 'POST /auth/refresh';

describe('fetch of the client', () => {
  let line: DatabaseLine;
  let service: TestService;
  let server: Awaited<ReturnType<typeof listen>>;
  let profile: Profile;
  let client: AuthClient;
  let signedOut: number;
  let stopListening: () => void;

  beforeAll(async () => {
    line = await startLine();
    service = await startService({ DB_HOST: '127.0.0.1', DB_PORT: String(line.port) });
    server = await listen(service.app as http.RequestListener);
  });
  afterAll(async () => {
    server.stop();
    await service.stop();
    await line.stop();
  });
  beforeEach(async () => {
    profile = new Profile(`http://127.0.0.1:${server.port}`);
    client = profile.tab();
    signedOut = 0;
    stopListening = client.onSignedOut(() => (signedOut += 1));
    await client.register(aUser());
    profile.requests = [];
  });
  afterEach(() => {
    stopListening();
  });

  const self = (init?: RequestInit) => client.fetch(`${profile.baseUrl}/auth/self`, init);
  const statuses = (responses: Response[]) => responses.map(({ status }) => status);
  const rename = { method: 'PATCH', headers: { 'Content-Type': 'application/json' } };
  const names = '{"firstName":"Augusta"}';

  /** Another service that accepts the tokens; it responds to its first request with 401. */
  async function withOrders(
    refusal: (res: http.ServerResponse) => void,
    use: (url: string) => Promise<void>,
  ): Promise<void> {
    let isFirst = true;
    const orders = await listen((_req, res) => {
      if (isFirst) refusal(res);
      else res.end('orders');
      isFirst = false;
    });
    await use(`http://127.0.0.1:${orders.port}/orders`);
    orders.stop();
  }

  describe('when the access token is gone', () => {
    it('refreshes once for all requests that wait, and repeats each', async () => {
      profile.dropAccessToken();
      expect(statuses(await Promise.all([self(), self(), self()]))).toEqual([200, 200, 200]);
      expect(profile.count(REFRESH)).toBe(1);
      expect(signedOut).toBe(0);
    });

    it('does not refresh again for a request that was sent before the refresh', async () => {
      profile.dropAccessToken();
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      let isFirst = true;
      profile.network = async (_request, pass) => {
        const wasFirst = isFirst;
        isFirst = false;
        const response = await pass();
        if (wasFirst) await held;
        return response;
      };
      const slow = self();
      expect((await self()).status).toBe(200);
      release();
      expect((await slow).status).toBe(200);
      expect(profile.count(REFRESH)).toBe(1);
    });

    it('repeats a Request with its body', async () => {
      profile.dropAccessToken();
      const request = new Request(`${profile.baseUrl}/auth/self`, { ...rename, body: names });
      const response = await client.fetch(request);
      expect(await response.json()).toMatchObject({ user: { firstName: 'Augusta' } });
    });

    it('does not repeat a stream, but the next attempt succeeds', async () => {
      profile.dropAccessToken();
      const send = () => self({ ...rename, body: new Blob([names]).stream(), duplex: 'half' });
      expect((await send()).status).toBe(401);
      expect(profile.requests).toEqual(['PATCH /auth/self', REFRESH]);
      expect((await send()).status).toBe(200);
    });
  });

  describe('when the access token has expired although the cookie is still there', () => {
    it('refreshes, also after the tab has slept for a week', async () => {
      await service.advance(7 * 86_400);
      expect((await self()).status).toBe(200);
      expect(profile.requests).toEqual(['GET /auth/self', REFRESH, 'GET /auth/self']);
    });
  });

  describe('when the database is away', () => {
    it('reports an outage to each request, and works afterwards', async () => {
      profile.dropAccessToken();
      await line.cut();
      const responses = await Promise.all([self(), self()]);
      expect(statuses(responses)).toEqual([503, 503]);
      for (const response of responses) {
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(await response.json()).toMatchObject({ status: 503 });
      }
      await line.mend();
      await until(async () => (await self()).status === 200, 'the database');
      expect(signedOut).toBe(0);
    });
  });

  describe('when a refresh is refused with Retry-After', () => {
    const refuse = (status: number, after: string) => {
      profile.network = (request, pass) =>
        request.url.endsWith('/refresh')
          ? Promise.resolve(new Response('', { status, headers: { 'Retry-After': after } }))
          : pass();
    };
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();

    it.each([
      [429, '600'],
      [503, '600'],
      [502, inAnHour],
    ])('passes %i on, and sends no refresh before that time (%s)', async (status, after) => {
      profile.dropAccessToken();
      refuse(status, after);
      for (let i = 0; i < 3; i += 1) expect((await self()).status).toBe(status);
      await expect(client.refresh()).rejects.toMatchObject({ status, type: 'about:blank' });
      expect(profile.count(REFRESH)).toBe(1);
      expect(signedOut).toBe(0);
    });

    it('sends the next one at once without Retry-After', async () => {
      profile.dropAccessToken();
      refuse(503, '');
      expect((await self()).status).toBe(503);
      expect((await self()).status).toBe(503);
      expect(profile.count(REFRESH)).toBe(2);
    });
  });

  describe('when the response to a refresh is lost', () => {
    it('rejects as fetch does, and the next request succeeds', async () => {
      for (let i = 0; i < 3; i += 1) {
        profile.dropAccessToken();
        profile.network = async (request, pass) => {
          const response = await pass();
          if (request.url.endsWith('/refresh')) throw new TypeError('fetch failed');
          return response;
        };
        await expect(self()).rejects.toThrow('fetch failed');
        profile.network = (_request, pass) => pass();
        expect((await self()).status).toBe(200);
      }
      expect(signedOut).toBe(0);
    });
  });

  describe('when a refresh does not return', () => {
    it('gives up after the timeout, and the next request succeeds', async () => {
      client = profile.tab({ timeout: 100 });
      profile.dropAccessToken();
      profile.network = (request, pass) =>
        request.url.endsWith('/refresh')
          ? new Promise((_resolve, reject) => {
              request.signal.addEventListener('abort', () => {
                reject(request.signal.reason as Error);
              });
            })
          : pass();
      await expect(self()).rejects.toMatchObject({ name: 'TimeoutError' });
      profile.network = (_request, pass) => pass();
      expect((await self()).status).toBe(200);
    });
  });

  describe('when the network is lost', () => {
    it('rejects as fetch does', async () => {
      await expect(client.fetch('http://127.0.0.1:1/')).rejects.toThrow('fetch failed');
      expect(signedOut).toBe(0);
    });
  });

  describe('when a proxy is in the way', () => {
    it.each([
      ['the page of a captive portal', 200, 'text/html'],
      ['its own 401', 401, 'text/html'],
      ['its own 403', 403, 'text/html'],
      ['its own problem', 401, 'application/problem+json'],
    ])('does not take %s for an end of the session', async (_name, status, type) => {
      const body = type === 'text/html' ? '<h1>who are you?</h1>' : '{"type":"about:blank"}';
      profile.dropAccessToken();
      profile.network = (request, pass) =>
        request.url.endsWith('/refresh')
          ? Promise.resolve(new Response(body, { status, headers: { 'Content-Type': type } }))
          : pass();
      const outcome = await self().catch((error: unknown) => error);
      if (status === 200) expect(outcome).toBeInstanceOf(TypeError);
      else expect(outcome).toMatchObject({ status: 401 });
      expect(signedOut).toBe(0);
    });
  });

  describe('when the session is over', () => {
    it('says so once, also if the login page asks for self again', async () => {
      profile.jar.removeAllCookiesSync();
      for (let i = 0; i < 5; i += 1) expect((await self()).status).toBe(401);
      expect(signedOut).toBe(1);
      await client.register(aUser());
      profile.jar.removeAllCookiesSync();
      await self();
      expect(signedOut).toBe(2);
    });
  });

  describe('when the password is wrong', () => {
    it('does not refresh after a login', async () => {
      const attempt = client.login({ email: aUser().email, password: 'not that one' });
      await expect(attempt).rejects.toBeInstanceOf(AuthProblem);
      expect(profile.requests).toEqual(['POST /auth/login']);
    });

    it('does not refresh after a change of the password', async () => {
      const newPassword = 'another horse battery';
      const attempt = client.account.changePassword({ currentPassword: 'wrong', newPassword });
      await expect(attempt).rejects.toMatchObject({
        code: 'wrong-credentials',
        errors: [{ code: 'wrong-password', path: 'currentPassword' }],
      });
      expect(profile.requests).toEqual(['PATCH /auth/password']);
    });
  });

  describe('when another service responds with 401', () => {
    it('refreshes and repeats, whatever the body is', async () => {
      await withOrders(
        (res) => res.writeHead(401).end('<h1>who are you?</h1>'),
        async (url) => {
          expect(await (await client.fetch(url)).text()).toBe('orders');
          expect(profile.requests).toEqual(['GET /orders', REFRESH, 'GET /orders']);
        },
      );
    });

    it('leaves a redirect to fetch', async () => {
      await withOrders(
        (res) => res.writeHead(307, { Location: '/elsewhere' }).end(),
        async (url) => {
          expect(await (await client.fetch(url)).text()).toBe('orders');
          expect(profile.requests).toEqual(['GET /orders']);
        },
      );
    });
  });

  describe('when the caller aborts while it waits', () => {
    it('rejects at once, and the refresh goes on for others', async () => {
      profile.dropAccessToken();
      const controller = new AbortController();
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      profile.network = async (request, pass) => {
        if (request.url.endsWith('/refresh')) await held;
        return pass();
      };
      const aborted = self({ signal: controller.signal });
      const other = self();
      await until(() => profile.count(REFRESH) === 1, 'the refresh');
      controller.abort();
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
      release();
      expect((await other).status).toBe(200);
      expect(profile.count(REFRESH)).toBe(1);
    });
  });
});
