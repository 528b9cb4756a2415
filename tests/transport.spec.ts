import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expressMessages } from '../src/http/expressMessages';
import { createHttpServer, type HttpServerOptions } from '../src/http/httpServer';
import { aUser, clientOf, tokensOf } from './support/client';
import { until } from './harness/until';
import { Line } from './support/Line';
import { capturingLogger } from './support/capturingLogger';
import { observe } from './support/observe';
import { startService, type TestService } from './support/service';

const HEAD = 'POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const SECOND = 1_000;

function expectProblem(line: Line, status: number): void {
  expect(line.status).toBe(status);
  expect(line.header('Content-Type')).toMatch(/^application\/problem\+json/);
  expect(line.header('Connection')).toBe('close');
  expect(line.header('X-Content-Type-Options')).toBe('nosniff');
  expect(line.header('Content-Security-Policy')).toContain("frame-ancestors 'none'");
  expect(line.header('Referrer-Policy')).toBe('no-referrer');
  const text = expect.stringMatching(/\S/) as string;
  expect(line.problem).toMatchObject({
    type: text,
    title: text,
    detail: text,
    status,
    instance: line.header('X-Request-Id'),
    errors: [{ code: text }],
  });
  expect(line.problem.instance).toMatch(/^[\w-]{8,64}$/);
  expect(line.problem.errors).toHaveLength(1);
}

/** The problem of a request that never reached the application. */
function expectRefusal(line: Line, status: number, code: string): void {
  expectProblem(line, status);
  expect(line.header('Strict-Transport-Security')).toMatch(/^max-age=\d{8}/);
  expect(line.header('Cache-Control')).toBe('no-store');
  expect(line.problem).toMatchObject({ errors: [{ code }] });
  const body = JSON.stringify(line.problem);
  observe({ method: '', url: '', status, headers: line.headers, body });
  expect(logs.filter(({ requestId }) => requestId === line.problem.instance)).toEqual([
    expect.objectContaining({
      level: 'warn',
      event: 'request_refused',
      ipAddress: '127.0.0.1',
      status,
      code,
    }) as unknown,
  ]);
}

const { logger, logs } = capturingLogger();
const SETTINGS: HttpServerOptions = { environment: 'prod', logger };

describe('hostile transport', () => {
  let service: TestService;
  let server: Server;
  const lines: Line[] = [];
  beforeAll(async () => {
    service = await startService();
    server = createHttpServer(service.app, { ...SETTINGS, ...expressMessages(service.app) });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    for (const line of lines.splice(0)) line.destroy();
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await service.stop();
  });

  const open = (to = server) => {
    const line = new Line((to.address() as AddressInfo).port);
    lines.push(line);
    return line;
  };

  describe('when a body of 100 GB is announced', () => {
    it.each(['/auth/login', '/auth/refresh', '/auth/unknown', '/health/live'])(
      'responds with 413 at %s and closes at once',
      async (path) => {
        const head = HEAD.replace('/auth/login', path);
        const line = await open().write(`${head}Content-Length: 107374182400\r\n\r\n{`).end();
        expectProblem(line, 413);
      },
    );

    it('closes the connection of a client that keeps sending', async () => {
      const line = open()
        .write(`${HEAD}Content-Length: 107374182400\r\n\r\n`)
        .pour('x'.repeat(65_536));
      await line.end();
      expect(line.sent).toBeLessThan(64 * 1024 * 1024);
    });
  });

  describe('when a body comes in chunks', () => {
    it('reads it', async () => {
      const user = JSON.stringify(aUser());
      const [start, rest] = [user.slice(0, 20), user.slice(20)];
      const line = open()
        .write(`${HEAD.replace('/login', '/register')}Transfer-Encoding: chunked\r\n\r\n`)
        .write(`${start.length.toString(16)}\r\n${start}\r\n`)
        .write(`${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`);
      expect((await line.end()).status).toBe(201);
    });

    it('reads it after a slow guard', async () => {
      const { access = '' } = tokensOf(await clientOf(service).register().expect(201));
      const body = JSON.stringify({ firstName: 'Augusta' });
      const line = open().write(
        'PATCH /auth/self HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
          `Authorization: Bearer ${access}\r\nTransfer-Encoding: chunked\r\n\r\n` +
          `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
      );
      expect((await line.end()).status).toBe(200);
    });
  });

  describe('when a chunked body is endless', () => {
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

    it('responds with 413 as soon as it is over the limit, and closes', async () => {
      const line = open().write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`).write(chunk);
      expect(line.closed).toBe(false);
      await line.write('4\r\nxxxx\r\n').end();
      expectProblem(line, 413);
    });

    it.each(['/auth/login', '/auth/refresh', '/auth/unknown', '/health/live'])(
      'closes the connection of a client of %s that keeps sending',
      async (path) => {
        const line = open()
          .write(`${HEAD.replace('/auth/login', path)}Transfer-Encoding: chunked\r\n\r\n`)
          .pour(chunk);
        await line.end();
        expect(line.sent).toBeLessThan(64 * 1024 * 1024);
      },
    );
  });

  describe('when a compressed body inflates endlessly', () => {
    it('responds with 413, without inflating all of it', async () => {
      const bomb = gzipSync(Buffer.alloc(12 * 1024 * 1024, ' '));
      expect(bomb.length).toBeLessThan(16 * 1024);
      const before = process.memoryUsage().rss;
      const head = `${HEAD}Content-Encoding: gzip\r\nConnection: close\r\n`;
      const bombs = Array.from({ length: 20 }, () =>
        open().write(`${head}Content-Length: ${bomb.length}\r\n\r\n`).write(bomb).end(),
      );
      for (const line of await Promise.all(bombs)) expectProblem(line, 413);
      expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    });
  });

  describe('when the bytes are not HTTP', () => {
    it.each([
      ['no request line', 'HELLO\r\n\r\n'],
      ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
      ['two lengths', `${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
      ['a length and chunks', `${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`],
      ['a negative length', `${HEAD}Content-Length: -1\r\n\r\n`],
      ['an unknown transfer encoding', `${HEAD}Transfer-Encoding: chunked, x\r\n\r\n{}`],
      ['a chunk without a size', `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
      ['a header with a blank in its name', `${HEAD}X Y: z\r\n\r\n`],
      ['a folded header', `${HEAD}X-Y: a\r\n b: c\r\n\0\r\n\r\n`],
      ['a NUL in a header', `${HEAD}X-Y: a\0b\r\n\r\n`],
      ['no host', 'GET /health/live HTTP/1.1\r\n\r\n'],
      ['a target without a slash', 'GET health/live HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['CONNECT', 'CONNECT localhost:22 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ])('responds with 400 to %s', async (_what, bytes) => {
      expectRefusal(await open().write(bytes).end(), 400, 'malformed-request');
    });

    it.each([
      ['too large', `X-Large: ${'x'.repeat(20_000)}\r\n`],
      ['too many', 'X-A: b\r\n'.repeat(99)],
    ])('responds with 431 to headers that are %s', async (_what, headers) => {
      const line = open().write(`${HEAD}${headers}\r\n`);
      expectRefusal(await line.end(), 431, 'headers-too-large');
    });

    it('reads 100 headers', async () => {
      const headers = `Host: x\r\nConnection: close\r\n${'X-A: b\r\n'.repeat(98)}`;
      const line = open().write(`GET /health/live HTTP/1.1\r\n${headers}\r\n`);
      expect((await line.end()).status).toBe(200);
    });

    it('responds with 417 to an unknown expectation', async () => {
      const line = open().write(`${HEAD}Expect: a miracle\r\nContent-Length: 2\r\n\r\n{}`);
      expectRefusal(await line.end(), 417, 'unknown-expectation');
    });

    it('keeps serving other clients', async () => {
      const line = open().write(
        'GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      );
      expect((await line.end()).status).toBe(200);
    });
  });

  describe('when a client is slow', () => {
    let impatient: Server;
    beforeAll(async () => {
      impatient = createHttpServer(service.app, {
        ...SETTINGS,
        ...expressMessages(service.app),
        headersTimeout: 300,
        requestTimeout: 600,
        connectionsCheckingInterval: 50,
      });
      await new Promise<void>((resolve) => impatient.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      impatient.closeAllConnections();
      impatient.close();
    });

    it.each([
      ['that sends nothing', '', 300],
      ['that does not finish its headers', 'GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ', 300],
      ['that does not finish its body', `${HEAD}Content-Length: 100\r\n\r\n{`, 600],
      ['that does not finish its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{`, 600],
    ])('responds with 408 to a client %s, and closes', async (_what, bytes, limit) => {
      const line = await open(impatient).write(bytes).end();
      expectRefusal(line, 408, 'request-timeout');
      expect(line.closedAt - line.openedAt).toBeGreaterThanOrEqual(limit - 50);
    });

    it('cuts a client that sends a header now and then', async () => {
      const line = open(impatient).write('GET /health/live HTTP/1.1\r\nHost: x\r\n');
      const drip = setInterval(() => line.write('X-A: b\r\n'), 50);
      await line.end();
      clearInterval(drip);
      expect(line.closed).toBe(true);
    });
  });

  describe('when requests are pipelined', () => {
    const get = (path: string, id: number, more = '') =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: request-${id}\r\n${more}\r\n`;
    const ids = (count: number) => Array.from({ length: count }, (_, id) => `request-${id}`);
    const login = () => {
      const body = JSON.stringify({ email: aUser().email, password: 'nobody has it' });
      return `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;
    };

    it('responds to 64 in order, even if the first is slow', async () => {
      const line = open().write(
        login() +
          ids(63)
            .map((_, id) => get('/auth/self', id))
            .join(''),
      );
      await until(() => line.statuses.length === 64, 'all responses');
      expect(line.requestIds.slice(1)).toEqual(ids(63));
      expect(line.closed).toBe(false);
    });

    it('handles one at a time', async () => {
      let [current, most] = [0, 0];
      const listener: RequestListener = (_req, res) => {
        current += 1;
        most = Math.max(most, current);
        setImmediate(() => {
          current -= 1;
          res.end();
        });
      };
      const serial = createHttpServer(listener, SETTINGS);
      await new Promise<void>((resolve) => serial.listen(0, '127.0.0.1', resolve));
      const line = open(serial).write(
        ids(20)
          .map((_, id) => get('/', id))
          .join(''),
      );
      await until(() => line.statuses.length === 20, 'all responses');
      expect(most).toBe(1);
      serial.closeAllConnections();
      serial.close();
    });

    it('responds to 500 with many headers if the client reads', async () => {
      const cookie = `Cookie: a=${'x'.repeat(1_200)}\r\n`;
      const line = open().write(
        ids(500)
          .map((_, id) => get('/health/live', id, cookie))
          .join(''),
      );
      await until(() => line.statuses.length === 500 || line.closed, 'all responses');
      expect(line.requestIds).toEqual(ids(500));
    });

    it('assigns bodies that arrive in pieces to their requests', async () => {
      const [first, second] = [login(), login()];
      const line = open().write(first + second.slice(0, -10));
      await until(() => line.statuses.length === 1, 'the first response');
      line.write(second.slice(-10));
      await until(() => line.statuses.length === 2, 'the second response');
      expect(line.statuses).toEqual([401, 401]);
    });

    it.each([
      ['a request', 'HELLO\r\n\r\n'],
      ['a request without a host', 'GET / HTTP/1.1\r\n\r\n'],
      ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a body', `${HEAD}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ])('refuses %s after the earlier responses', async (_what, bytes) => {
      const line = await open()
        .write(login() + get('/health/live', 1) + bytes)
        .end();
      expect(line.statuses).toEqual([401, 200, 400]);
    });

    it('sends no second response if a body breaks after the response', async () => {
      const line = open().write(
        `POST /auth/unknown HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
      );
      await until(() => line.statuses.length === 1, 'the response');
      await line.write('xyz\r\n').end();
      expect(line.statuses).toEqual([404]);
    });

    it('handles no request after a response that closes the connection', async () => {
      const last = get('/health/live', 0, 'Connection: close\r\n');
      const line = await open()
        .write(last + get('/health/live', 1))
        .end();
      expect(line.requestIds).toEqual(['request-0']);
    });
  });

  describe('when more than 1 000 connections are open', () => {
    it('closes idle ones, but none whose request is being handled', async () => {
      const pending: ServerResponse[] = [];
      const crowded = createHttpServer((_req, res) => pending.push(res), {
        ...SETTINGS,
        headersTimeout: 0,
        requestTimeout: 0,
      });
      await new Promise<void>((resolve) => crowded.listen(0, '127.0.0.1', resolve));
      const patient = open(crowded).write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await until(() => pending.length === 1, 'the request');
      const idle: Line[] = [];
      let accepted = 0;
      crowded.on('connection', () => (accepted += 1));
      // More at once would wait for the kernel's queue.
      while (idle.length < 1_100) {
        for (let i = 0; i < 100; i += 1) idle.push(open(crowded));
        await until(() => accepted === idle.length, 'the connections');
      }
      await until(() => idle.filter(({ closed }) => closed).length === 101, 'room');
      expect(logs).toContainEqual(expect.objectContaining({ code: 'too-many-connections' }));
      pending[0]?.end();
      await until(() => patient.status === 200 || patient.closed, 'the response');
      expect(patient.status).toBe(200);
      crowded.closeAllConnections();
      crowded.close();
    });
  });

  describe('when the path of a request is long', () => {
    it('logs its first 256 characters', async () => {
      const path = `/${'x'.repeat(5_000)}`;
      const line = open().write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await until(() => line.status === 404, 'the response');
      const requestId = line.header('X-Request-Id');
      const logged = () => service.logs.find((entry) => entry.requestId === requestId);
      await until(() => logged() !== undefined, 'the line');
      expect(logged()?.path).toBe(path.slice(0, 256));
    });
  });

  describe('when a client does not read its response', () => {
    it('closes the connection when its traffic stops', async () => {
      const slow = createHttpServer((_req, res) => {
        res.end(Buffer.alloc(64 * 1024 * 1024));
      }, SETTINGS);
      slow.timeout = 300;
      await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
      const accepted = once(slow, 'connection') as Promise<[Socket]>;
      const line = new Line((slow.address() as AddressInfo).port, { reads: false });
      lines.push(line);
      line.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      const [socket] = await accepted;
      await until(() => socket.destroyed, 'the end of the connection');
      slow.close();
    });
  });

  describe('when a client keeps its connection', () => {
    it('does not apply the time limit of the headers', async () => {
      const get = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
      const quick = createHttpServer(service.app, {
        ...SETTINGS,
        ...expressMessages(service.app),
        keepAliveTimeout: 65_000,
        headersTimeout: 200,
        requestTimeout: 400,
        connectionsCheckingInterval: 50,
      });
      await new Promise<void>((resolve) => quick.listen(0, '127.0.0.1', resolve));
      const kept = open(quick).write(get);
      await until(() => kept.statuses.length === 1, 'the first response');
      // It was opened later, so both limits have passed.
      const slow = await open(quick).write(`${HEAD}Content-Length: 2\r\n\r\n`).end();
      expect(slow.status).toBe(408);
      kept.write(get);
      await until(() => kept.statuses.length === 2 || kept.closed, 'the second response');
      expect(kept.statuses).toEqual([200, 200]);
      expect(kept.header('Keep-Alive')).toBe('timeout=65');
      quick.closeAllConnections();
      quick.close();
    });
  });

  describe('with the default settings', () => {
    it('gives slow clients at most 30 s (OWASP)', () => {
      expect(server.headersTimeout).toBeLessThanOrEqual(30 * SECOND);
      expect(server.requestTimeout).toBeLessThanOrEqual(30 * SECOND);
      expect(server.timeout).toBeGreaterThan(0);
      expect(server.timeout).toBeLessThanOrEqual(30 * SECOND);
    });
  });
});
