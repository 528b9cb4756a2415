import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CookieJar } from 'tough-cookie';
import { createAuthFetch } from '../../examples/browser/authFetch';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { startLine, type DatabaseLine } from '../support/proxy';
import { startService, type TestService } from '../support/service';

/** What a browser does: `fetch` with a cookie jar, to the service or to another one. */
describe('createAuthFetch', () => {
  const nodeFetch = globalThis.fetch;
  const user = aUser();
  let line: DatabaseLine;
  let service: TestService;
  let server: http.Server;
  let auth: string;
  let jar: CookieJar;
  let requests: string[];
  let signedOut: number;
  let authFetch: ReturnType<typeof createAuthFetch>;

  beforeAll(async () => {
    line = await startLine();
    service = await startService({ DB_HOST: '127.0.0.1', DB_PORT: String(line.port) });
    server = http.createServer(service.app as http.RequestListener).listen(0, '127.0.0.1');
    await until(() => server.listening, 'a port');
    auth = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    globalThis.fetch = async (input, init) => {
      const url = input as string;
      requests.push(new URL(url).pathname);
      const headers = new Headers(init?.headers);
      headers.set('Cookie', jar.getCookieStringSync(url));
      const response = await nodeFetch(url, { ...init, headers });
      for (const cookie of response.headers.getSetCookie()) jar.setCookieSync(cookie, url);
      return response;
    };
  });
  afterAll(async () => {
    globalThis.fetch = nodeFetch;
    server.closeAllConnections();
    server.close();
    await service.stop();
    await line.stop();
  });
  beforeEach(async () => {
    jar = new CookieJar();
    requests = [];
    signedOut = 0;
    authFetch = createAuthFetch({ auth, onSignedOut: () => (signedOut += 1) });
    await post('/auth/register', aUser());
    requests.length = 0;
  });

  const post = (path: string, body: object) =>
    authFetch(`${auth}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const self = () => authFetch(`${auth}/auth/self`);
  /** As after an hour: the browser drops the access cookie. */
  const anHourLater = () => {
    jar.setCookieSync('access_token=; Max-Age=0; Path=/', auth);
  };
  const statuses = (responses: Response[]) => responses.map(({ status }) => status);

  it('refreshes once for all requests that wait, and repeats each', async () => {
    anHourLater();
    expect(statuses(await Promise.all([self(), self(), self()]))).toEqual([200, 200, 200]);
    expect(requests.filter((path) => path === '/auth/refresh')).toHaveLength(1);
    expect(signedOut).toBe(0);
  });

  it('reports an outage as an outage, to each request, and works afterwards', async () => {
    anHourLater();
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

  it('says once that the session is over, also if the login page asks for self again', async () => {
    jar.removeAllCookiesSync();
    for (let i = 0; i < 5; i += 1) expect((await self()).status).toBe(401);
    expect(signedOut).toBe(1);
    await post('/auth/register', user);
    jar.removeAllCookiesSync();
    await self();
    expect(signedOut).toBe(2);
  });

  it('does not refresh after a wrong password', async () => {
    expect((await post('/auth/login', { ...user, password: 'not that one' })).status).toBe(401);
    expect(requests).toEqual(['/auth/login']);
  });

  it('handles a 401 of another service whose body is not JSON', async () => {
    let isFirst = true;
    const other = http.createServer((_req, res) => {
      res.writeHead(isFirst ? 401 : 200).end('<h1>who are you?</h1>');
      isFirst = false;
    });
    other.listen(0, '127.0.0.1');
    await until(() => other.listening, 'a port');
    const response = await authFetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    expect(response.status).toBe(200);
    expect(requests).toEqual(['/', '/auth/refresh', '/']);
    other.closeAllConnections();
    other.close();
  });

  it('passes a lost network on as fetch does', async () => {
    await expect(authFetch('http://127.0.0.1:1/')).rejects.toThrow('fetch failed');
    expect(signedOut).toBe(0);
  });
});
