import { execFileSync } from 'node:child_process';
import type { Config } from '../../src/config';
import { Line } from '../support/Line';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';

const MIB = 1024 * 1024;
/** The limit of the old generation in MiB; resident memory also has code, buffers and the young one. */
const HEAP_LIMIT = 96;
const RESIDENT_LIMIT = 384 * MIB;
const PATIENCE = 60_000;
jest.setTimeout(2 * PATIENCE);

const SELF = 'GET /auth/self HTTP/1.1\r\nHost: localhost\r\n\r\n';
const LOGIN = 'POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

const residentMemory = (pid: number) =>
  Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;

describe('a service with little memory', () => {
  let database: Config['database'];
  let service: ServiceProcess;
  const lines: Line[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    service = await ServiceProcess.start(database, {
      CERTS_DIR: certsDir(),
      NODE_OPTIONS: `--max-old-space-size=${HEAP_LIMIT}`,
    });
  });
  afterEach(async () => {
    for (const line of lines.splice(0)) line.destroy();
    await expectService();
  });
  afterAll(() => service.stop('SIGKILL'));

  const open = (count: number, options?: { reads: boolean }) => {
    const opened = Array.from({ length: count }, () => new Line(service.port, options));
    lines.push(...opened);
    return opened;
  };
  /** The same process still serves other clients and is within its memory. */
  const expectService = async () => {
    expect((await service.get('/health/live')).status).toBe(200);
    expect(service.exitCode).toBeNull();
    expect(residentMemory(service.pid)).toBeLessThan(RESIDENT_LIMIT);
  };
  const refusals = () => service.logs.filter(({ event }) => event === 'request_refused');
  /** Waits until the flood has caused many responses that nobody reads. */
  const underWay = async () => {
    const before = service.logs.length;
    await until(() => service.logs.length > before + 5_000, '5 000 requests', PATIENCE);
  };

  describe('when 60 connections send requests without end and read nothing', () => {
    it.each([
      ['6 000 at once', 6_000],
      ['in small portions', 20],
    ])('stops reading from them: %s', async (_what, count) => {
      const flood = open(60, { reads: false });
      for (const line of flood) line.pour(SELF.repeat(count));
      await underWay();
      await expectService();
    });
  });

  describe('when 500 connections send 6 000 requests at once and read nothing', () => {
    it('stays within its memory', async () => {
      const flood = open(500, { reads: false });
      for (const line of flood) line.pour(SELF.repeat(6_000));
      await underWay();
      await expectService();
    });
  });

  describe('when 1 500 connections send something large without its end', () => {
    const large = 'x'.repeat(15_000);
    it.each([
      ['their headers', `${LOGIN}X-Large: ${large}`],
      ['a body', `${LOGIN}Content-Length: 16000\r\n\r\n{"email":"${large}`],
      ['a chunk', `${LOGIN}Transfer-Encoding: chunked\r\n\r\n3e80\r\n{"email":"${large}`],
      ['many headers', LOGIN + 'a:\r\n'.repeat(3_000)],
      ['another request', `${SELF}GET /auth/self HTTP/1.1\r\nX-Large: ${large}`],
    ])('keeps at most 1 000 connections: %s', async (_what, bytes) => {
      const held = open(1_500);
      for (const line of held) line.write(bytes);
      await until(() => held.filter(({ closed }) => closed).length >= 500, 'room', PATIENCE);
      await expectService();
    });
  });

  describe('when clients reset their connections after CONNECT', () => {
    it('keeps serving', async () => {
      for (let i = 0; i < 100; i += 1) {
        const [line] = open(1);
        line?.write('CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\n');
        if (i % 2 === 0) await until(() => line?.status === 400, 'the response');
        line?.reset();
      }
      await expectService();
    });
  });

  describe('when 3 000 connections send nothing', () => {
    it('closes the oldest ones and serves new ones', async () => {
      const idle = open(3_000);
      await until(() => idle.filter(({ closed }) => closed).length >= 2_000, 'room', PATIENCE);
      await expectService();
      // Only the first refusals of an address in a minute are logged.
      expect(refusals().length).toBeGreaterThan(0);
    });
  });
});
