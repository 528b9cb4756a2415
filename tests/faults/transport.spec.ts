import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { createLogger, format, transports } from 'winston';
import { expressMessages } from '../../src/http/expressMessages';
import { createHttpServer, type HttpServerOptions } from '../../src/http/httpServer';
import { aUser, clientOf, tokensOf } from '../support/client';
import { Line } from '../support/Line';
import { startService, type LogLine, type TestService } from '../support/service';

const HEAD = 'POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const SECOND = 1_000;

function expectProblem(line: Line, status: number): void {
  expect(line.status).toBe(status);
  expect(line.header('Content-Type')).toMatch(/^application\/problem\+json/);
  expect(line.header('Connection')).toBe('close');
  const text = expect.stringMatching(/\S/) as string;
  expect(line.problem).toMatchObject({
    type: text,
    title: text,
    detail: text,
    status,
    instance: line.header('X-Request-Id'),
  });
  expect(line.problem.instance).toMatch(/^[\w-]{8,64}$/);
  expect(line.problem.errors).toHaveLength(1);
}

const logs: LogLine[] = [];
/** Of a server in prod, whose log is `logs`. */
function settings(): HttpServerOptions {
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logs.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  const logger = createLogger({
    format: format.json(),
    transports: [new transports.Stream({ stream })],
  });
  return { environment: 'prod', logger };
}

describe('hostile transport', () => {
  let service: TestService;
  let server: Server;
  const lines: Line[] = [];
  beforeAll(async () => {
    service = await startService();
    server = createHttpServer(service.app, { ...settings(), ...expressMessages(service.app) });
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
      'answers 413 at %s and closes at once',
      async (path) => {
        const head = HEAD.replace('/auth/login', path);
        const line = await open().write(`${head}Content-Length: 107374182400\r\n\r\n{`).end();
        expectProblem(line, 413);
      },
    );

    it('closes on a client that goes on sending', async () => {
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

    it('reads it behind a guard that takes its time', async () => {
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

  describe('when a chunked body has no end', () => {
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;

    it('answers 413 as soon as it is over the limit, and closes', async () => {
      const line = open().write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`).write(chunk);
      expect(line.closed).toBe(false);
      await line.write('4\r\nxxxx\r\n').end();
      expectProblem(line, 413);
    });

    it.each(['/auth/login', '/auth/refresh', '/auth/unknown', '/health/live'])(
      'closes on a client of %s that goes on sending',
      async (path) => {
        const line = open()
          .write(`${HEAD.replace('/auth/login', path)}Transfer-Encoding: chunked\r\n\r\n`)
          .pour(chunk);
        await line.end();
        expect(line.sent).toBeLessThan(64 * 1024 * 1024);
      },
    );
  });

  describe('when a compressed body inflates without end', () => {
    it('answers 413, without inflating all of it', async () => {
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

  describe('when what comes is not HTTP', () => {
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
    ])('answers 400 to %s', async (_what, bytes) => {
      expectProblem(await open().write(bytes).end(), 400);
    });

    it('answers 431 to headers that are too large', async () => {
      const line = open().write(`${HEAD}X-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
      expectProblem(await line.end(), 431);
    });

    it('goes on with others', async () => {
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
        ...settings(),
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
    ])('answers 408 to one %s, and closes', async (_what, bytes, limit) => {
      const line = await open(impatient).write(bytes).end();
      expectProblem(line, 408);
      expect(line.closedAt - line.openedAt).toBeGreaterThanOrEqual(limit - 50);
    });

    it('cuts one that sends a header every now and then', async () => {
      const line = open(impatient).write('GET /health/live HTTP/1.1\r\nHost: x\r\n');
      const drip = setInterval(() => line.write('X-A: b\r\n'), 50);
      await line.end();
      clearInterval(drip);
      expect(line.closed).toBe(true);
    });
  });

  describe('when nothing else is said', () => {
    it('gives slow clients 30 s at most (OWASP)', () => {
      expect(server.headersTimeout).toBeLessThanOrEqual(30 * SECOND);
      expect(server.requestTimeout).toBeLessThanOrEqual(30 * SECOND);
    });
  });
});
