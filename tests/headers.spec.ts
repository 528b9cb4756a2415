import type { Response } from 'supertest';
import { MOUNTS, aUser, clientOf, tokensOf, type Tokens } from './support/client';
import { expectProblem } from './support/problem';
import { ALLOWED_ORIGIN, startService, type TestService } from './support/service';

const FOREIGN_ORIGINS = [
  'https://evil.example',
  'null',
  'http://localhost:5174',
  'https://localhost:5173',
  'http://localhost',
  'http://localhost:5173.evil.example',
  'http://evil.localhost:5173',
  'http://localhost:5173/',
  `${ALLOWED_ORIGIN}, https://evil.example`,
  '*',
  '',
];

describe('headers', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  let tokens: Required<Tokens>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
    tokens = tokensOf(await client.register().expect(201));
  });
  afterAll(() => service.stop());

  const expectSecurityHeaders = ({ headers }: Response) => {
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['x-request-id']).toMatch(/^[\w-]{8,64}$/);
  };
  const varies = ({ headers }: Response) =>
    String(headers.vary)
      .split(/, */)
      .map((name) => name.toLowerCase());

  describe('when the service responds', () => {
    it.each([
      ['get', '/auth/self', 200],
      ['get', '/auth/unknown', 404],
      ['get', '/unknown', 404],
      ['put', '/auth/login', 405],
      ['post', '/auth/login', 400],
      ['post', '/auth/refresh', 200],
      ['get', '/.well-known/jwks.json', 200],
      ['get', '/health/live', 200],
      ['get', '/health/ready', 200],
    ] as const)('carries the security headers, to %s %s', async (method, path, status) => {
      const res = await client.send(method, path, tokens).expect(status);
      expectSecurityHeaders(res);
    });
  });

  describe('when the service runs in prod', () => {
    it('sends Strict-Transport-Security', async () => {
      const prod = await startService({
        NODE_ENV: 'prod',
        CLIENT_UI_DOMAIN: ALLOWED_ORIGIN,
        JWT_ISSUER: 'https://auth.example.com',
      });
      try {
        for (const path of ['/health/live', '/auth/self', '/unknown', '/.well-known/jwks.json']) {
          const { headers } = await clientOf(prod).send('get', path);
          const hsts = String(headers['strict-transport-security']);
          expect(Number(/max-age=(\d+)/.exec(hsts)?.[1])).toBeGreaterThanOrEqual(31_536_000);
        }
      } finally {
        await prod.stop();
      }
    });
  });

  describe('when the service runs on localhost', () => {
    it.each(['dev', 'test'])('sends no Strict-Transport-Security in %s', async (environment) => {
      const local = await startService({ NODE_ENV: environment });
      try {
        const { headers } = await clientOf(local).send('get', '/health/live').expect(200);
        expect(headers['strict-transport-security']).toBeUndefined();
      } finally {
        await local.stop();
      }
    });
  });

  describe.each(['/.well-known/jwks.json', '/.well-known/openid-configuration'])(
    'when a script of any origin reads %s',
    (path) => {
      const expectReadable = ({ headers }: Response) => {
        expect(headers['access-control-allow-origin']).toBe('*');
        expect(headers['access-control-allow-credentials']).toBeUndefined();
        expect(headers['cross-origin-resource-policy']).toBe('cross-origin');
      };
      const from = (method: 'get' | 'head' | 'options' | 'post') =>
        client.send(method, path).set('Origin', 'https://anywhere.example');

      it('lets it read the document and its ETag', async () => {
        const res = await from('get').expect(200);
        expectReadable(res);
        expectReadable(await client.send('get', path).expect(200));
        expectReadable(await from('head').expect(200));
        const etag = String(res.headers.etag);
        expectReadable(await from('get').set('If-None-Match', etag).expect(304));
      });

      it('accepts a preflight for a conditional request', async () => {
        const res = await from('options')
          .set('Access-Control-Request-Method', 'GET')
          .set('Access-Control-Request-Headers', 'if-none-match');
        expect(res.status).toBe(204);
        expect(res.headers['access-control-allow-origin']).toBe('*');
        expect(res.headers['access-control-allow-methods']).toBe('GET,HEAD');
        expect(res.headers['access-control-allow-headers']).toBe('if-none-match');
      });

      it('lets it read an error', async () => {
        expectReadable(await from('post').expect(405));
      });
    },
  );

  describe.each(MOUNTS)('when a response of %s depends on the user', (mount) => {
    it('forbids caching, whether it succeeds or fails', async () => {
      const there = clientOf(service, mount);
      const user = aUser();
      const created = await there.register(user).expect(201);
      const own = tokensOf(created);
      const answers = [
        created,
        await there.login(user).expect(200),
        await there.self(own).expect(200),
        await there.refresh(own).expect(200),
        await there.logout(own).expect(200),
        await there.register(user).expect(409),
        await there.login({}).expect(400),
        await there.self({}).expect(401),
        await there.refresh({}).expect(401),
        await there.logout({}).expect(401),
        await client.raw('post', `${mount}/login`, 'x').expect(400),
        await client.raw('post', `${mount}/login`, 'x'.repeat(20_000)).expect(413),
        await client.send('post', `${mount}/login`).type('text/plain').send('x').expect(415),
        await there.login(user).set('Origin', 'https://evil.example').expect(403),
        await client.send('get', `${mount}/unknown`).expect(404),
        await client.send('put', `${mount}/login`).expect(405),
        await client.send('options', `${mount}/login`).set('Origin', ALLOWED_ORIGIN),
      ];
      for (const res of answers) {
        expect(res.headers['cache-control']).toBe('no-store');
        expect(varies(res)).toContain('origin');
        expect(res.headers.etag).toBeUndefined();
      }
    });
  });

  describe('when a page of the allowed origin calls', () => {
    it('lets it read the response and send cookies', async () => {
      for (const res of [
        await client.self(tokens).set('Origin', ALLOWED_ORIGIN).expect(200),
        await client.login(aUser()).set('Origin', ALLOWED_ORIGIN).expect(401),
      ]) {
        expect(res.headers['access-control-allow-origin']).toBe(ALLOWED_ORIGIN);
        expect(res.headers['access-control-allow-credentials']).toBe('true');
        const exposed = String(res.headers['access-control-expose-headers']).toLowerCase();
        expect(exposed).toContain('x-request-id');
      }
    });

    it('responds to its preflight', async () => {
      const res = await client
        .send('options', '/auth/login')
        .set('Origin', ALLOWED_ORIGIN)
        .set('Access-Control-Request-Method', 'POST')
        .set('Access-Control-Request-Headers', 'content-type');
      expect([200, 204]).toContain(res.status);
      expect(res.headers['access-control-allow-origin']).toBe(ALLOWED_ORIGIN);
      expect(res.headers['access-control-allow-credentials']).toBe('true');
      expect(res.headers['access-control-allow-methods']).toContain('POST');
      const allowed = String(res.headers['access-control-allow-headers']).toLowerCase();
      expect(allowed).toContain('content-type');
    });

    it('serves it whatever Sec-Fetch-Site says, because the origin counts', async () => {
      const res = await client
        .register()
        .set('Origin', ALLOWED_ORIGIN)
        .set('Sec-Fetch-Site', 'same-site');
      expect(res.status).toBe(201);
    });
  });

  describe.each(FOREIGN_ORIGINS)('when a page of the foreign origin "%s" calls', (origin) => {
    it('does not let it read the response', async () => {
      const res = await client.self(tokens).set('Origin', origin);
      expect(res.headers['access-control-allow-origin']).toBeUndefined();
      expect(varies(res)).toContain('origin');
      const preflight = await client
        .send('options', '/auth/login')
        .set('Origin', origin)
        .set('Access-Control-Request-Method', 'POST');
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
    });

    if (origin !== '')
      it('refuses to change anything', async () => {
        const user = aUser();
        const own = tokensOf(await client.register(user).expect(201));
        const refused = [
          await client.register().set('Origin', origin),
          await client.login(user).set('Origin', origin),
          await client.refresh(own).set('Origin', origin),
          await client.logout(own).set('Origin', origin),
        ];
        for (const res of refused) {
          expectProblem(res, 403);
          expect(res.headers['set-cookie']).toBeUndefined();
          expect(res.headers['access-control-allow-origin']).toBeUndefined();
        }
        await client.self(own).expect(200);
      });
  });

  describe.each(MOUNTS)('when a browser sends Sec-Fetch-Site without an origin, at %s', (mount) => {
    it.each(['cross-site', 'same-site', 'nonsense'])(
      'refuses each state-changing request from "%s"',
      async (site) => {
        const there = clientOf(service, mount);
        const user = aUser();
        const own = tokensOf(await there.register(user).expect(201));
        for (const res of [
          await there.register().set('Sec-Fetch-Site', site),
          await there.login(user).set('Sec-Fetch-Site', site),
          await there.refresh(own).set('Sec-Fetch-Site', site),
          await there.logout(own).set('Sec-Fetch-Site', site),
        ]) {
          expectProblem(res, 403);
          expect(res.headers['set-cookie']).toBeUndefined();
        }
        await there.self(own).expect(200);
      },
    );

    it('serves the origin "null" from a page of the same origin only', async () => {
      const there = clientOf(service, mount);
      const fromNull = (site?: string) => {
        const request = there.register().set('Origin', 'null');
        return site === undefined ? request : request.set('Sec-Fetch-Site', site);
      };
      expect((await fromNull('same-origin')).status).toBe(201);
      for (const site of [undefined, 'none', 'same-site', 'cross-site', 'nonsense'])
        expectProblem(await fromNull(site), 403);
    });

    it('refuses a foreign origin whatever Sec-Fetch-Site says', async () => {
      const there = clientOf(service, mount);
      for (const site of ['same-origin', 'same-site', 'none']) {
        const request = there.register().set('Origin', 'https://evil.example');
        expectProblem(await request.set('Sec-Fetch-Site', site), 403);
      }
    });

    it.each(['same-origin', 'none'])('serves a request from "%s"', async (site) => {
      const there = clientOf(service, mount);
      const own = tokensOf(await there.register().set('Sec-Fetch-Site', site).expect(201));
      await there.refresh(own).set('Sec-Fetch-Site', site).expect(200);
    });

    it('lets a cross-site page send a safe request, without reading the response', async () => {
      const res = await clientOf(service, mount).self(tokens).set('Sec-Fetch-Site', 'cross-site');
      expect(res.status).toBe(200);
      expect(res.headers['access-control-allow-origin']).toBeUndefined();
    });
  });

  describe('when a foreign origin is refused', () => {
    it('logs the event without the body', async () => {
      const user = aUser({ password: 'from a foreign page' });
      await client.login(user).set('Origin', 'https://evil.example').expect(403);
      expect(service.logs).toContainEqual(expect.objectContaining({ event: 'malicious_cors' }));
      expect(JSON.stringify(service.logs)).not.toContain('from a foreign page');
    });
  });

  describe('when several origins are allowed', () => {
    it('allows each of them alone', async () => {
      const many = await startService({
        CLIENT_UI_DOMAIN: 'https://app.example.com, https://admin.example.com:8443/',
      });
      try {
        const there = clientOf(many);
        for (const origin of ['https://app.example.com', 'https://admin.example.com:8443']) {
          const res = await there.register().set('Origin', origin).expect(201);
          expect(res.headers['access-control-allow-origin']).toBe(origin);
        }
        expectProblem(await there.register().set('Origin', ALLOWED_ORIGIN), 403);
      } finally {
        await many.stop();
      }
    });
  });
});
