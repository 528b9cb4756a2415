import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { Client } from 'pg';
import type { Config } from '../../src/config';
import { cookieHeader } from '../harness/cookieHeader';
import { aUser, type Tokens } from '../support/client';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';

interface Outcome {
  status?: number;
  /** The response's Connection header. */
  connection?: string | undefined;
  /** Node's error code, for a request without a response. */
  failure?: string;
  /** Whether the request was sent on an open connection. */
  connected: boolean;
}

function requested(agent: http.Agent, port: number, path: string, tokens: Tokens) {
  return new Promise<Outcome>((resolve) => {
    let connected = false;
    const req = http.request(
      { agent, port, path, method: path === '/auth/refresh' ? 'POST' : 'GET' },
      (res) => {
        res.resume();
        res.once('end', () => {
          resolve({ status: res.statusCode ?? 0, connection: res.headers.connection, connected });
        });
        res.once('error', (error: NodeJS.ErrnoException) => {
          resolve({ failure: `answer cut: ${error.code ?? error.message}`, connected });
        });
      },
    );
    req.setHeader('Cookie', cookieHeader(tokens));
    req.once('socket', (socket) => {
      if (!socket.connecting) connected = true;
      else socket.once('connect', () => (connected = true));
    });
    req.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ failure: error.code ?? error.message, connected });
    });
    req.end();
  });
}

/** A client that sends its next request after each response, until the service is gone. */
async function hammering(port: number, path: string, tokens: Tokens): Promise<Outcome[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const outcomes: Outcome[] = [];
  for (;;) {
    const outcome = await requested(agent, port, path, tokens);
    outcomes.push(outcome);
    if (outcome.failure) break;
  }
  agent.destroy();
  return outcomes;
}

const toldToStop = (service: ServiceProcess) =>
  until(() => service.logs.some(({ event }) => event === 'sys_shutdown'), 'word of the shutdown');

const failures = (outcomes: Outcome[]) =>
  outcomes.flatMap(({ failure, connected }) => (failure ? [{ failure, connected }] : []));

describe('a service that is told to stop', () => {
  let database: Config['database'];
  const settings = { CERTS_DIR: certsDir(), DRAIN_TIMEOUT_SECONDS: '9' };
  beforeAll(async () => {
    database = await createDatabase();
  });

  const started = async (overrides: NodeJS.ProcessEnv = {}) => {
    const service = await ServiceProcess.start(database, { ...settings, ...overrides });
    const { tokens } = await service.post('/auth/register', {}, aUser());
    return { service, tokens };
  };

  describe.each(['SIGTERM', 'SIGINT'] as const)(
    'when it gets %s under keep-alive load',
    (signal) => {
      it('resets no accepted request, sends Connection: close, and exits with 0', async () => {
        const { service, tokens } = await started();
        const load = [
          ...Array.from({ length: 8 }, () => hammering(service.port, '/auth/self', tokens)),
          ...Array.from({ length: 4 }, () => hammering(service.port, '/health/live', {})),
          ...Array.from({ length: 4 }, () => hammering(service.port, '/auth/refresh', tokens)),
        ];
        const served = () => service.logs.filter(({ message }) => message === 'request').length;
        await until(() => served() > 100, 'load');

        const began = Date.now();
        const stopped = service.stop(signal);
        await toldToStop(service);
        const ready = await service.get('/health/ready');
        expect(ready.status).toBe(503);
        expect(ready.headers.get('connection')).toBe('close');
        expect(await stopped).toBe(0);
        expect(Date.now() - began).toBeLessThan(10_000);

        const outcomes = (await Promise.all(load)).flat();
        // The last request of each client was never accepted.
        expect(failures(outcomes).filter(({ failure }) => failure !== 'ECONNREFUSED')).toEqual([]);
        expect(outcomes.some(({ connection }) => connection === 'close')).toBe(true);
        expect(outcomes.every(({ status = 200 }) => status === 200)).toBe(true);
      });
    },
  );

  describe('when connections are idle', () => {
    it('responds to a request that is on its way, and does not wait for the others', async () => {
      const { service, tokens } = await started();
      const agent = new http.Agent({ keepAlive: true });
      const ask = () => requested(agent, service.port, '/auth/self', tokens);
      await Promise.all(Array.from({ length: 5 }, ask));

      const stopped = service.stop('SIGTERM');
      await toldToStop(service);
      const last = await ask();
      expect(last).toMatchObject({ status: 200, connection: 'close', connected: true });
      expect(await stopped).toBe(0);
      agent.destroy();
    });
  });

  describe('when a load balancer keeps connections', () => {
    it.each([
      ['65 s', {}, 'timeout=65'],
      ['KEEP_ALIVE_TIMEOUT_SECONDS', { KEEP_ALIVE_TIMEOUT_SECONDS: '7' }, 'timeout=7'],
    ])('keeps them for %s', async (_what, overrides, keepAlive) => {
      const { service } = await started(overrides);
      const { headers } = await service.get('/health/live');
      await service.stop('SIGKILL');
      expect(headers.get('keep-alive')).toBe(keepAlive);
    });

    it('serves it until it notices that the service is not ready, and exits with 0', async () => {
      const { service, tokens } = await started();
      const agent = new http.Agent({ keepAlive: true });
      const ask = (path = '/auth/self') => requested(agent, service.port, path, tokens);
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask()));

      const stopped = service.stop('SIGTERM');
      await toldToStop(service);
      let check = await ask('/health/ready');
      for (let i = 0; i < 5; i += 1) outcomes.push(await ask());
      while (check.status === 200) check = await ask('/health/ready');
      expect(check.status).toBe(503);

      // The others stay idle for longer than the drain takes.
      expect(await stopped).toBe(0);
      expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 200));
      expect(service.logs.map(({ message }) => message)).not.toContain(
        'requests still in flight were cut',
      );
      agent.destroy();
    });
  });

  describe('when a request waits for the database', () => {
    /** Locks the rows of all sessions while `work` runs. */
    const whileRowsAreHeld = async (work: () => Promise<void>) => {
      const holder = new Client({ ...database, user: database.username, database: database.name });
      await holder.connect();
      await holder.query('BEGIN; SELECT FROM refresh_tokens FOR UPDATE');
      try {
        await work();
      } finally {
        await holder.end();
      }
    };
    const untilBlocked = async () => {
      const probe = new Client({ ...database, user: database.username, database: database.name });
      await probe.connect();
      await until(async () => {
        const { rowCount } = await probe.query(
          "SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'",
          [database.name],
        );
        return rowCount === 1;
      }, 'a refresh behind the lock');
      await probe.end();
    };

    it('finishes it', async () => {
      const { service, tokens } = await started();
      const pending: Promise<unknown>[] = [];
      await whileRowsAreHeld(async () => {
        pending.push(requested(new http.Agent(), service.port, '/auth/refresh', tokens));
        await untilBlocked();
        pending.push(service.stop('SIGTERM'));
        await toldToStop(service);
      });
      const [answer, code] = await Promise.all(pending);
      expect(answer).toMatchObject({ status: 200, connection: 'close' });
      expect(code).toBe(0);
    });

    it('cuts it after DRAIN_TIMEOUT_SECONDS', async () => {
      const { service } = await started({ DRAIN_TIMEOUT_SECONDS: '1' });
      // The rest of the body never arrives.
      const stuck = connect(service.port, '127.0.0.1');
      const closed = once(stuck, 'close');
      stuck.on('error', () => undefined);
      stuck.write(
        'POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
          'Content-Length: 100\r\n\r\n{',
      );
      await until(async () => (await service.get('/health/live')).status === 200, 'live');

      const began = Date.now();
      expect(await service.stop('SIGTERM')).toBe(0);
      expect(Date.now() - began).toBeGreaterThan(900);
      expect(Date.now() - began).toBeLessThan(4_000);
      await closed;
      expect(service.logs.map(({ message }) => message)).toContain(
        'requests still in flight were cut',
      );
    });
  });
});
