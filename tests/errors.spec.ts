import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import request, { type Test } from 'supertest';
import { MOUNTS, aUser, clientOf, tokensOf } from './support/client';
import { expectProblem } from './support/problem';
import { startLine } from './support/proxy';
import { startService, type TestService } from './support/service';

const KIB = 1024;
const JSON_ROUTES = MOUNTS.flatMap((mount) => [`${mount}/register`, `${mount}/login`]);

/** A registration of exactly this size in bytes. */
const padded = (bytes: number) => {
  const body = JSON.stringify({ ...aUser(), padding: '' });
  return body.replace('"padding":""', `"padding":"${'x'.repeat(bytes - body.length)}"`);
};

describe('errors', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const sent = (path: string, body: string | Buffer, headers: Record<string, string> = {}): Test =>
    client.raw('post', path, body).set(headers);

  describe('when the request has an id', () => {
    it('returns it in the header and as the instance', async () => {
      const res = await client.self({}).set('X-Request-Id', 'gateway-0123456789');
      expect(expectProblem(res, 401).instance).toBe('gateway-0123456789');
    });

    it.each(['', 'x'.repeat(500), 'a b', '"><script>', 'id{}', '../../etc'])(
      'generates an id instead of "%s"',
      async (id) => {
        const res = await client.self({}).set('X-Request-Id', id);
        const { instance } = expectProblem(res, 401);
        expect(instance).not.toBe(id);
        expect(instance).toMatch(/^[\w-]{8,64}$/);
      },
    );

    it('generates a new id for each request', async () => {
      const ids = await Promise.all(
        [1, 2, 3].map(async () => expectProblem(await client.self({}), 401).instance),
      );
      expect(new Set(ids).size).toBe(3);
    });
  });

  describe.each(JSON_ROUTES)('when the body of %s cannot be read', (path) => {
    it.each([
      ['cut off', '{"email":"ada@example.com","password":"p4ssw0rd-in-text'],
      ['no JSON', 'email=ada@example.com&password=p4ssw0rd-in-text'],
      ['single quotes', "{'password':'p4ssw0rd-in-text'}"],
      ['a bare word', 'undefined'],
      ['only text', '"p4ssw0rd-in-text"'],
      ['a number', '42'],
      ['null', 'null'],
      ['true', 'true'],
      ['blanks', '   '],
      ['NUL', '\u0000'],
      ['two values', '{}{}'],
    ])('hides the parser’s message: JSON that is %s', async (_what, body) => {
      const res = await sent(path, body);
      expectProblem(res, 400);
      expect(res.text).not.toMatch(/JSON at|position|token|p4ssw0rd/i);
      expect(JSON.stringify(service.logs)).not.toContain('p4ssw0rd-in-text');
    });

    it.each([
      ['an array', '[]'],
      ['an array of objects', `[${JSON.stringify(aUser())}]`],
      ['an empty object', '{}'],
      ['its prototype', '{"__proto__":{"email":"a@example.com","password":"long enough"}}'],
      ['a constructor', '{"constructor":{"prototype":{"email":"a@example.com"}}}'],
      [
        'a prototype as the e-mail',
        '{"email":{"__proto__":"a@example.com"},"password":"long enough"}',
      ],
    ])('responds with 400 to %s', async (_what, body) => {
      expectProblem(await sent(path, body), 400);
    });

    it('responds with 400 to a broken gzip stream', async () => {
      const broken = gzipSync(JSON.stringify(aUser())).subarray(0, 30);
      expectProblem(await sent(path, broken, { 'Content-Encoding': 'gzip' }), 400);
      const garbage = Buffer.from('this is no gzip');
      expectProblem(await sent(path, garbage, { 'Content-Encoding': 'gzip' }), 400);
    });
  });

  describe.each(JSON_ROUTES)('when the body of %s is not JSON', (path) => {
    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/json',
      'application/jsonx',
      'nonsense',
    ])('responds with 415 to %s', async (type) => {
      expectProblem(await sent(path, JSON.stringify(aUser()), { 'Content-Type': type }), 415);
    });

    it.each(['iso-8859-1', 'utf-7', 'utf-99', 'windows-1252', 'x'])(
      'responds with 415 to the charset %s',
      async (charset) => {
        const type = `application/json; charset=${charset}`;
        expectProblem(await sent(path, JSON.stringify(aUser()), { 'Content-Type': type }), 415);
      },
    );

    it.each(['compress', 'zstd-not', 'gzip, gzip', 'x'])(
      'responds with 415 to the content encoding %s',
      async (encoding) => {
        const body = JSON.stringify(aUser());
        expectProblem(await sent(path, body, { 'Content-Encoding': encoding }), 415);
      },
    );
  });

  describe('when the media type of JSON has another spelling', () => {
    it.each([
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'APPLICATION/JSON',
    ])('reads %s', async (type) => {
      const body = JSON.stringify(aUser());
      await sent('/auth/register', body, { 'Content-Type': type }).expect(201);
    });

    it('reads a compressed body', async () => {
      const body = gzipSync(JSON.stringify(aUser()));
      await sent('/auth/register', body, { 'Content-Encoding': 'gzip' }).expect(201);
    });
  });

  describe.each(JSON_ROUTES)('when the body of %s is too large', (path) => {
    it('responds with 413 beyond 16 KiB', async () => {
      expectProblem(await sent(path, padded(16 * KIB + 1)), 413);
    });

    it.each([
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      ['br', brotliCompressSync],
    ])('responds with 413 to one that inflates beyond it, of %s', async (encoding, compress) => {
      for (const size of [16 * KIB + 1, 8 * KIB * KIB]) {
        const bomb = compress(Buffer.from(padded(size)));
        expect(bomb.length).toBeLessThan(16 * KIB);
        expectProblem(await sent(path, bomb, { 'Content-Encoding': encoding }), 413);
      }
    });
  });

  describe('when the body has exactly 16 KiB', () => {
    it('reads it', async () => {
      await sent('/auth/register', padded(16 * KIB)).expect(201);
      const inflated = gzipSync(padded(16 * KIB));
      await sent('/auth/register', inflated, { 'Content-Encoding': 'gzip' }).expect(201);
    });
  });

  describe('when a body of 100 GB is announced', () => {
    it('responds with 413 before it arrives', async () => {
      const server = service.app.listen(0);
      try {
        const status = await new Promise<number | undefined>((resolve, reject) => {
          const req = http.request({
            port: (server.address() as AddressInfo).port,
            method: 'POST',
            path: '/auth/login',
            // Nothing more is sent, so a response must come by then.
            timeout: 5_000,
            headers: { 'Content-Type': 'application/json', 'Content-Length': 100 * KIB ** 3 },
          });
          req.on('response', (res) => {
            resolve(res.statusCode);
            req.destroy();
          });
          req.on('timeout', () => req.destroy(new Error('no answer')));
          req.on('error', reject);
          req.write('{');
        });
        expect(status).toBe(413);
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  });

  describe('when the address is unknown', () => {
    it.each([
      '/',
      '/auth',
      '/auth/',
      '/auth/unknown',
      '/api',
      '/api/auth/unknown',
      '/api/register',
      '/.well-known/openid',
      '/health',
      '/auth/%E0%A4%A',
      '/%',
      '/auth/self/more',
      '//auth/self',
      '/auth/../package.json',
      '/.env',
    ])('responds with 404 to GET %s', async (path) => {
      const res = await request(service.app).get(path);
      expectProblem(res, 404);
      if (/^\/(api\/)?auth\b/.test(path)) expect(res.headers['cache-control']).toBe('no-store');
    });

    it('responds with 404 to POST', async () => {
      expectProblem(await client.send('post', '/auth/unknown').send({}), 404);
    });
  });

  describe.each(MOUNTS)('when the method is wrong, below %s', (mount) => {
    it.each(
      ['register', 'login', 'refresh', 'logout'].flatMap((route) =>
        (['get', 'head', 'put', 'patch', 'delete'] as const).map(
          (method) => [method, route] as const,
        ),
      ),
    )('responds with 405 to %s %s, and names POST', async (method, route) => {
      const res = await client.send(method, `${mount}/${route}`);
      expect(res.status).toBe(405);
      expect(res.headers.allow).toBe('POST');
      expect(res.headers['cache-control']).toBe('no-store');
      if (method !== 'head') expectProblem(res, 405);
    });

    it.each(['post', 'put'] as const)(
      'responds with 405 to %s self, with GET in Allow',
      async (method) => {
        const res = await client.send(method, `${mount}/self`);
        expectProblem(res, 405);
        expect(String(res.headers.allow).split(', ')).toEqual(
          expect.arrayContaining(['GET', 'HEAD']),
        );
      },
    );
  });

  describe('when the database is gone', () => {
    it('responds with 503 to every route that needs it, clears no cookie, and recovers', async () => {
      const line = await startLine();
      const cutOff = await startService({ DB_PORT: String(line.port) });
      try {
        const there = clientOf(cutOff);
        const user = aUser();
        const tokens = tokensOf(await there.register(user).expect(201));
        await line.cut();
        for (const attempt of [
          () => there.register(),
          () => there.login(user),
          () => there.self(tokens),
          () => there.refresh(tokens),
          () => there.logout(tokens),
        ]) {
          const res = await attempt();
          expectProblem(res, 503);
          expect(res.headers['set-cookie']).toBeUndefined();
        }
        await line.mend();
        const { status } = await there.self(tokens);
        if (status !== 200) await there.self(tokens).expect(200);
        await there.refresh(tokens).expect(200);
        await there.logout(tokens).expect(200);
      } finally {
        await cutOff.stop();
        await line.stop();
      }
    });

    it('logs no stack, SQL or host name', async () => {
      const line = await startLine();
      const cutOff = await startService({ DB_PORT: String(line.port) });
      try {
        const there = clientOf(cutOff);
        const user = aUser();
        await there.register(user).expect(201);
        await line.cut();
        const res = await there.login(user);
        expectProblem(res, 503);
        const log = JSON.stringify(cutOff.logs);
        expect(log).toContain(res.headers['x-request-id']);
        for (const inside of [/\bat \S+ \(/, /node_modules/, /SELECT/, /127\.0\.0\.1:\d/])
          expect(log).not.toMatch(inside);
      } finally {
        await cutOff.stop();
        await line.stop();
      }
    });
  });
});
