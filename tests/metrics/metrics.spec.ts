import { once } from 'node:events';
import { utimesSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import type { Config } from '../../src/config';
import { certsDir } from '../harness/certsDir';
import { familyOf } from '../harness/familyOf';
import { freePort } from '../harness/freePort';
import { portOf } from '../harness/portOf';
import { query } from '../harness/query';
import { runNode } from '../harness/runNode';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { Figures } from '../support/Figures';
import { ServiceProcess } from '../support/process';
import { startLine } from '../support/proxy';
import { createDatabase } from '../support/service';

describe('METRICS_PORT', () => {
  const running: ServiceProcess[] = [];
  let database: Config['database'];
  let certs: string;
  beforeAll(async () => {
    database = await createDatabase();
    certs = certsDir();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop('SIGKILL')));
  });

  const settings = async (overrides: NodeJS.ProcessEnv = {}) => ({
    METRICS_PORT: String(await freePort()),
    CERTS_DIR: certs,
    ...overrides,
  });
  const start = async (overrides: NodeJS.ProcessEnv = {}, on = database) => {
    const variables = await settings(overrides);
    const service = await ServiceProcess.start(on, variables);
    running.push(service);
    const figures = () => Figures.read(variables.METRICS_PORT);
    return { service, figures, metricsPort: Number(variables.METRICS_PORT) };
  };
  const refused = async (overrides: NodeJS.ProcessEnv) => {
    const service = await ServiceProcess.spawn(database, overrides);
    running.push(service);
    await until(() => service.exitCode !== null, 'it ends');
    expect(service.exitCode).toBe(1);
    return service.stderr;
  };

  describe('without it', () => {
    it('loads no library for it', () => {
      const build = String(process.env.TEST_BUILD);
      const script = `
        for (const file of ['cluster', 'serve']) require(process.argv[1] + '/' + file + '.js');
        process.stdout.write(Object.keys(require.cache).join('\\n'));`;
      const { stdout } = runNode(['-e', script, build], { NODE_ENV: 'test' });
      expect(stdout).toContain(path.join('metrics', 'noMetrics.js'));
      expect(stdout).not.toContain('prom-client');
    });
  });

  describe('at the start', () => {
    it('is refused when it is PORT', async () => {
      const port = String(await freePort());
      expect(await refused({ PORT: port, METRICS_PORT: port })).toMatch(
        /^METRICS_PORT must not be/,
      );
    });

    it.each(['1', '2'])('is refused when it is taken, with WEB_CONCURRENCY=%s', async (count) => {
      const occupant = createServer().listen(0);
      await once(occupant, 'listening');
      const METRICS_PORT = String(portOf(occupant));
      const overrides = { METRICS_PORT, WEB_CONCURRENCY: count, CERTS_DIR: certs };
      expect(await refused(overrides)).toContain(
        `port ${METRICS_PORT} is taken: set METRICS_PORT to another one`,
      );
      occupant.close();
    });
  });

  describe('the listener', () => {
    it('has nothing but GET /metrics, which the public port does not have', async () => {
      const { service, metricsPort } = await start();
      const statusOf = async (path: string, method = 'GET') =>
        (await fetch(`http://127.0.0.1:${metricsPort}${path}`, { method })).status;
      expect(await statusOf('/metrics')).toBe(200);
      expect(await statusOf('/metrics?name=x')).toBe(200);
      expect(await statusOf('/metrics', 'POST')).toBe(404);
      expect(await statusOf('/auth/self')).toBe(404);
      expect((await service.get('/metrics')).status).toBe(404);
    });
  });

  describe('requests', () => {
    it('are measured by method, route template and status', async () => {
      const { service, figures } = await start();
      const { tokens } = await service.post('/auth/register', {}, aUser());
      await service.get('/auth/self', tokens);
      await service.get('/api/auth/self', tokens);
      await service.get('/auth/self');
      await service.send('DELETE', '/auth/sessions/no-such-session', tokens);
      await service.send('PUT', '/auth/self', tokens);
      await service.get('/auth/nothing-here');
      await service.send('OPTIONS', '/auth/login', {});

      const shown = await figures();
      expect(shown.requests('POST', '/auth/register', 201)).toBe(1);
      expect(shown.requests('GET', '/auth/self', 200)).toBe(2);
      expect(shown.requests('GET', '/auth/self', 401)).toBe(1);
      expect(shown.requests('DELETE', '/auth/sessions/:id', 404)).toBe(1);
      expect(shown.requests('other', '/auth/self', 405)).toBe(1);
      expect(shown.requests('GET', 'unmatched', 404)).toBe(1);
      expect(shown.requests('OPTIONS', 'unmatched')).toBe(1);
      expect(
        shown.get('http_request_duration_seconds_sum', { route: '/auth/register' }),
      ).toBeGreaterThan(0.005);
    });

    it('are shown as aborted when the client goes away', async () => {
      const { service, figures } = await start();
      const client = connect(service.port, '127.0.0.1');
      client.write(
        'POST /auth/login HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\n' +
          'Content-Length: 9\r\n\r\n{',
      );
      await until(async () => (await service.get('/health/live')).status === 200, 'live');
      client.destroy();
      const aborted = { route: '/auth/login', status: 'aborted' };
      await until(
        async () => (await figures()).get('http_request_duration_seconds_count', aborted) === 1,
        'the aborted request',
      );
    });

    it('make no new series, whatever is requested', async () => {
      const { service, figures } = await start();
      const { tokens } = await service.post('/auth/register', {}, aUser());
      const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
      const random = () => Math.random().toString(36).slice(2);
      const send = (method: string, target: string) =>
        new Promise<void>((resolve, reject) => {
          const headers = {
            Host: `${random()}.test`,
            Cookie: `access_token=${tokens.access ?? ''}`,
          };
          const { port } = service;
          const req = http.request({ agent, port, method, path: target, headers }, (res) => {
            res.resume().once('end', resolve);
          });
          req.once('error', reject).end();
        });
      const methods = http.METHODS.filter((method) => method !== 'CONNECT');
      const targets = [
        () => `/${random()}`,
        () => `/auth/${random()}`,
        () => `/auth/sessions/${random()}`,
        () => `/AUTH/Self/?${random()}`,
        () => `/health/live?${random()}`,
        () => `/.well-known/${random()}/..`,
        () => `http://${random()}.test/api/auth/sessions/${random()}`,
      ];
      const thousandRequests = async () => {
        const requests = Array.from({ length: 1_000 }, (_, index) => {
          const target = targets[index % targets.length] ?? random;
          return send(methods[index % methods.length] ?? 'GET', target());
        });
        await Promise.all(requests);
      };

      // Its own statement is measured, too.
      await figures();
      await thousandRequests();
      const before = await figures();
      await thousandRequests();
      const after = await figures();
      agent.destroy();

      const requests = 'http_request_duration_seconds_count';
      expect(after.get(requests)).toBeGreaterThanOrEqual((before.get(requests) ?? 0) + 1_000);
      // What Node itself is busy with at that moment is left out.
      const seriesOf = ({ samples }: Figures) =>
        samples
          .filter(({ name }) => !name.startsWith('nodejs_active'))
          .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`)
          .sort();
      expect(seriesOf(after)).toEqual(seriesOf(before));
      expect(after.valuesOf('route')).toEqual([
        '/auth/register',
        '/auth/self',
        '/auth/sessions/:id',
        '/health/live',
        '/health/ready',
        'unmatched',
      ]);
      expect(after.valuesOf('method')).toEqual(
        expect.arrayContaining(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'other']),
      );
      expect(after.valuesOf('method')).toHaveLength(7);
    });
  });

  describe('sessions', () => {
    it('are counted by event and by verdict', async () => {
      const { service, figures } = await start({ REFRESH_REUSE_WINDOW_SECONDS: '300' });
      const user = aUser();
      const { tokens: first } = await service.post('/auth/register', {}, user);
      await service.post('/auth/login', {}, { ...user, password: 'a wrong password' });
      const { tokens: second } = await service.post('/auth/refresh', first);
      await service.post('/auth/refresh', first);
      await query(database, 'UPDATE refresh_tokens SET predecessors = $1, created_at = now()', [
        '[]',
      ]);
      await service.post('/auth/refresh', first);
      await service.post('/auth/refresh', second);

      const shown = await figures();
      const events = (event: string) => shown.get('auth_events_total', { event });
      expect(events('user_created')).toBe(1);
      expect(events('authn_login_fail')).toBe(1);
      expect(events('session_renewed')).toBe(1);
      expect(events('authn_token_reuse')).toBe(1);
      const verdicts = (verdict: string) => shown.get('auth_refreshes_total', { verdict });
      expect(['rotate', 'replay', 'theft', 'ended'].map(verdicts)).toEqual([1, 1, 1, 1]);
    });
  });

  describe('attempts', () => {
    it('are counted by decision and limit', async () => {
      const { service, figures } = await start({ RATE_LIMIT_ENABLED: 'true' });
      const user = aUser();
      await service.post('/auth/register', {}, user);
      const wrong = { ...user, password: 'a wrong password' };
      for (let failure = 1; failure <= 11; failure += 1)
        await service.post('/auth/login', {}, wrong);

      const shown = await figures();
      const decisions = (limit: string, decision: string) =>
        shown.get('auth_limiter_decisions_total', { limit, decision });
      expect(decisions('none', 'allowed')).toBe(11);
      expect(decisions('pair', 'refused')).toBe(1);
    });
  });

  describe('hashes', () => {
    it('are shown as they run, wait and are refused', async () => {
      const { service, figures } = await start({ HASH_QUEUE_LIMIT: '1', BCRYPT_ROUNDS: '13' });
      const logins = Array.from({ length: 20 }, () => service.post('/auth/login', {}, aUser()));
      await until(
        async () => (await figures()).get('auth_hash_queue_running') !== 0,
        'a hash runs',
      );
      const during = await figures();
      await Promise.all(logins);
      expect(during.get('auth_hash_queue_waiting')).toBe(1);

      // A refusal may arrive before the place of the last hash is free.
      await until(
        async () => (await figures()).get('auth_hash_queue_running') === 0,
        'no hash runs',
      );
      const shown = await figures();
      expect(shown.get('auth_hash_queue_waiting')).toBe(0);
      const refusals = shown.requests('POST', '/auth/login', 503);
      expect(refusals).toBeGreaterThan(0);
      expect(shown.get('auth_hash_queue_refused_total')).toBe(refusals);
      expect(shown.get('auth_hash_queue_wait_seconds_count')).toBe(20 - refusals);
      expect(shown.get('auth_hash_queue_wait_seconds_sum')).toBeGreaterThan(0.05);
    });
  });

  describe('the database', () => {
    it('is shown by statement, and by the use of the pool', async () => {
      const { service, figures } = await start({ DB_POOL_SIZE: '3' });
      const { tokens } = await service.post('/auth/register', {}, aUser());
      await service.get('/auth/self', tokens);
      await service.get('/auth/sessions', tokens);

      const shown = await figures();
      const times = (statement: string) =>
        shown.get('auth_statement_duration_seconds_count', { statement });
      expect(times('users-by-sessions')).toBe(2);
      expect(times('session-open')).toBe(1);
      expect(times('transaction')).toBe(1);
      expect(times('entities')).toBe(1);
      expect(shown.get('auth_ready')).toBe(1);
      expect(shown.get('auth_pool_idle')).toBeGreaterThan(0);
      expect(shown.get('auth_pool_waiting')).toBe(0);
    });

    it('shows who waits for a connection', async () => {
      const { service, figures } = await start({ DB_POOL_SIZE: '1' });
      const { tokens } = await service.post('/auth/register', {}, aUser());
      const requests = Array.from({ length: 50 }, () => service.get('/auth/sessions', tokens));
      await until(async () => Number((await figures()).get('auth_pool_waiting')) > 0, 'a queue');
      expect((await figures()).get('auth_pool_used')).toBeLessThanOrEqual(1);
      await Promise.all(requests);
    });

    it('leaves the other figures readable while it is away', async () => {
      const line = await startLine();
      const { figures } = await start({}, { ...database, port: line.port });
      expect((await figures()).get('auth_ready')).toBe(1);
      await line.cut();
      await until(async () => (await figures()).get('auth_ready') === 0, 'not ready');
      const shown = await figures();
      expect(shown.get('auth_purge_backlog_rows')).toBeUndefined();
      expect(shown.get('process_resident_memory_bytes')).toBeGreaterThan(0);
      await line.mend();
      await until(async () => (await figures()).get('auth_ready') === 1, 'ready again');
      await line.stop();
    });
  });

  describe('expired sessions', () => {
    const expired = async () => {
      const own = await createDatabase();
      const { service, figures } = await start({ SESSION_PURGE_INTERVAL_SECONDS: '0' }, own);
      for (let session = 1; session <= 3; session += 1)
        await service.post('/auth/register', {}, aUser());
      await query(own, "UPDATE refresh_tokens SET expires_at = now() - interval '1 hour'");
      return { own, figures };
    };

    it('are a backlog until they are purged', async () => {
      const { own, figures } = await expired();
      const before = await figures();
      expect(before.get('auth_purge_backlog_rows')).toBe(3);
      expect(before.get('auth_purge_backlog_seconds')).toBeGreaterThanOrEqual(3_600);

      const other = await start({ SESSION_PURGE_INTERVAL_SECONDS: '1' }, own);
      const purged = async () =>
        (await other.figures()).get('auth_purged_rows_total', { statement: 'session-purge' });
      await until(async () => (await purged()) === 3, 'the purge');
      const after = await figures();
      expect(after.get('auth_purge_backlog_rows')).toBe(0);
      expect(after.get('auth_purge_backlog_seconds')).toBe(0);
    });
  });

  describe('keys', () => {
    it('are counted, and have the age of their file', async () => {
      const dir = certsDir();
      const hourAgo = new Date(Date.now() - 3_600_000);
      utimesSync(path.join(dir, 'private.pem'), hourAgo, hourAgo);
      const { figures } = await start({ CERTS_DIR: dir });
      const shown = await figures();
      expect(shown.get('auth_keys')).toBe(1);
      expect(shown.get('auth_signing_key_age_seconds')).toBeGreaterThanOrEqual(3_600);
      expect(shown.get('auth_signing_key_age_seconds')).toBeLessThan(3_700);
    });

    it('have no age when keys.json cannot be read', async () => {
      const dir = certsDir();
      writeFileSync(path.join(dir, 'keys.json'), 'not JSON');
      const { figures } = await start({ CERTS_DIR: dir });
      const shown = await figures();
      expect(shown.get('auth_keys')).toBe(1);
      expect(shown.get('auth_signing_key_age_seconds')).toBeUndefined();
    });

    it('have the age that keys.json tells', async () => {
      const dir = certsDir();
      const before = await start({ CERTS_DIR: dir });
      const { body } = await before.service.get('/.well-known/jwks.json');
      const [{ kid = '' } = {}] = body.keys as { kid?: string }[];
      const activatedAt = new Date(Date.now() - 86_400_000).toISOString();
      writeFileSync(path.join(dir, 'keys.json'), JSON.stringify({ [kid]: { activatedAt } }));
      const { figures } = await start({ CERTS_DIR: dir });
      const age = (await figures()).get('auth_signing_key_age_seconds');
      expect(age).toBeGreaterThanOrEqual(86_400);
      expect(age).toBeLessThan(86_500);
    });
  });

  describe('while the service stops', () => {
    it('stays readable until the last request has its response', async () => {
      const { service, figures } = await start({ DRAIN_TIMEOUT_SECONDS: '3' });
      const stuck = connect(service.port, '127.0.0.1');
      stuck.on('error', () => undefined);
      stuck.write('POST /auth/login HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\n');
      await until(async () => (await service.get('/health/live')).status === 200, 'live');

      const stopped = service.stop('SIGTERM');
      await until(() => service.logs.some(({ event }) => event === 'sys_shutdown'), 'the signal');
      const during = await figures();
      expect(during.get('auth_ready')).toBe(0);
      expect(await stopped).toBe(0);
      await expect(figures()).rejects.toThrow('fetch failed');
    });
  });

  describe('with WEB_CONCURRENCY=2', () => {
    const workersOf = (service: ServiceProcess) => familyOf(service.pid).slice(1);
    const both = async (overrides: NodeJS.ProcessEnv = {}) => {
      const started = await start({ WEB_CONCURRENCY: '2', ...overrides });
      const { service } = started;
      const listening = () => service.logs.filter(({ event }) => event === 'sys_startup').length;
      await until(() => listening() === 2, 'two workers');
      // On a connection of its own each: the workers take turns.
      const live = (count: number) =>
        Promise.all(
          Array.from({ length: count }, async () => {
            const agent = new http.Agent();
            const req = http.get({ agent, port: service.port, path: '/health/live' });
            const [res] = (await once(req, 'response')) as [http.IncomingMessage];
            await once(res.resume(), 'end');
          }),
        );
      return { ...started, listening, live };
    };

    it('is one sum of both workers', async () => {
      const { figures, live } = await both();
      await live(40);
      const shown = await figures();
      expect(shown.requests('GET', '/health/live', 200)).toBe(40);
      // Not a sum: both see the same.
      expect(shown.get('auth_keys')).toBe(1);
      expect(shown.get('auth_ready')).toBe(1);
      expect(shown.get('auth_worker_restarts_total')).toBe(0);
    });

    it('keeps what a worker has counted when it ends', async () => {
      const { service, figures, listening, live } = await both();
      await live(40);
      expect((await figures()).requests('GET', '/health/live', 200)).toBe(40);
      const [victim = 0] = workersOf(service);
      process.kill(victim, 'SIGKILL');
      await until(() => !workersOf(service).includes(victim), 'the worker is gone');
      expect((await figures()).requests('GET', '/health/live', 200)).toBe(40);

      await until(() => listening() === 3, 'another worker');
      await live(10);
      const shown = await figures();
      expect(shown.requests('GET', '/health/live', 200)).toBe(50);
      expect(shown.get('auth_worker_restarts_total')).toBe(1);
    });

    it('keeps what a worker has counted while it hangs', async () => {
      const { service, figures, live } = await both();
      await live(40);
      expect((await figures()).requests('GET', '/health/live', 200)).toBe(40);
      const [victim = 0] = workersOf(service);
      process.kill(victim, 'SIGSTOP');
      expect((await figures()).requests('GET', '/health/live', 200)).toBe(40);
      process.kill(victim, 'SIGCONT');
    });
  });
});
