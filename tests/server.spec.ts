import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Config } from '../src/config';
import { aUser } from './support/client';
import { certsDir } from './harness/certsDir';
import { freePort } from './harness/freePort';
import { ROOT } from './harness/root';
import { tempFolder } from './harness/tempFolder';
import { until } from './harness/until';
import { ServiceProcess } from './support/process';
import { startLine } from './support/proxy';
import { createDatabase, environmentFor } from './support/service';

describe('the process', () => {
  let database: Config['database'];
  let certs: string;
  /** A separate project with the built service, independent of the files of this one. */
  let project: string;
  const started: ServiceProcess[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    certs = certsDir();
    project = tempFolder('project');
    cpSync(process.env.TEST_BUILD ?? '', path.join(project, 'dist'), { recursive: true });
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(project, 'node_modules'));
  });
  afterAll(async () => {
    await Promise.all(started.map((service) => service.stop('SIGKILL')));
  });

  /** Runs until it ends by itself. */
  const ended = async (environment: NodeJS.ProcessEnv) => {
    const child = spawn(process.execPath, [path.join(project, 'dist/server.js')], {
      env: { PATH: process.env.PATH, ...environment },
      timeout: 20_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await once(child, 'close');
    return { code: child.exitCode, stdout, lines: stderr.split('\n').filter(Boolean), stderr };
  };
  const sound = (overrides: NodeJS.ProcessEnv = {}) =>
    environmentFor(database, {
      NODE_ENV: 'prod',
      CLIENT_UI_DOMAIN: 'https://app.example.com',
      CERTS_DIR: certs,
      ...overrides,
    });
  const running = async (overrides: NodeJS.ProcessEnv = {}) => {
    const service = await ServiceProcess.start(database, {
      CERTS_DIR: certs,
      DRAIN_TIMEOUT_SECONDS: '2',
      ...overrides,
    });
    started.push(service);
    return service;
  };
  const said = (service: ServiceProcess, event: string) =>
    until(() => service.logs.some((line) => line.event === event), event);

  describe('when nothing is set', () => {
    it('prints one line for each missing setting and exits with 1', async () => {
      const { code, lines, stdout } = await ended({});
      expect(code).toBe(1);
      expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(
        [
          'CLIENT_UI_DOMAIN',
          'DB_HOST',
          'DB_NAME',
          'DB_PASSWORD',
          'DB_USERNAME',
          'REFRESH_JWT_SECRET',
        ].sort(),
      );
      expect(stdout).toBe('');
    });
  });

  describe('when settings are invalid', () => {
    it('prints one line for each, without its value, and exits with 1', async () => {
      const values = {
        PORT: 'port-value',
        REFRESH_JWT_SECRET: 'secret-value-0123456789',
        BCRYPT_ROUNDS: 'rounds-value',
        JWT_ISSUER: 'issuer-value',
        COOKIE_SAME_SITE: 'site-value',
        LOG_LEVEL: 'level-value',
      };
      const { code, lines, stdout, stderr } = await ended(sound(values));
      expect(code).toBe(1);
      expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(Object.keys(values).sort());
      for (const value of Object.values(values)) expect(stdout + stderr).not.toContain(value);
    });

    it('does so for TRUST_PROXY', async () => {
      const { code, lines, stderr } = await ended(sound({ TRUST_PROXY: 'banana' }));
      expect(code).toBe(1);
      expect(lines).toHaveLength(1);
      expect(stderr).toMatch(/^TRUST_PROXY /);
      expect(stderr).not.toContain('banana');
    });
  });

  describe('when the keys are missing', () => {
    it('names the command that creates them and exits with 1', async () => {
      const { code, lines } = await ended(sound({ CERTS_DIR: path.join(project, 'nowhere') }));
      expect(code).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('node scripts/generateKeys.mjs');
    });
  });

  describe('when it runs in dev', () => {
    it('listens on the loopback only', async () => {
      const service = await running({ NODE_ENV: 'dev' });
      const own = Object.values(os.networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .find(({ internal, family }) => !internal && family === 'IPv4');
      await expect(fetch(`http://127.0.0.1:${service.port}/health/live`)).resolves.toHaveProperty(
        'status',
        200,
      );
      if (own)
        await expect(fetch(`http://${own.address}:${service.port}/health/live`)).rejects.toThrow();
      expect(await service.stop()).toBe(0);
    });
  });

  describe('when the port is taken', () => {
    it('prints one line and exits with 1', async () => {
      const port = await freePort();
      const other = net.createServer().listen(port);
      await once(other, 'listening');
      try {
        const { code, lines } = await ended(sound({ PORT: String(port) }));
        expect(code).toBe(1);
        expect(lines).toHaveLength(1);
        expect(lines[0]).toContain(`port ${port} is taken`);
      } finally {
        other.close();
      }
    });
  });

  describe('when there is a file of settings', () => {
    const portWith = (environment: NodeJS.ProcessEnv) =>
      execFileSync(process.execPath, ['--print', "require('./dist/config').loadConfig().port"], {
        cwd: project,
        env: { PATH: process.env.PATH, ...environment },
        encoding: 'utf8',
      }).trim();

    it.each([
      ['test', '.env.test'],
      ['dev', '.env.dev'],
      ['prod', '.env.prod'],
    ])('reads it by NODE_ENV=%s, and prefers the environment', (NODE_ENV, file) => {
      writeFileSync(path.join(project, file), 'PORT=7001\nLOG_LEVEL="warn"\n');
      try {
        expect(portWith(sound({ NODE_ENV }))).toBe('7001');
        expect(portWith(sound({ NODE_ENV, PORT: '7002' }))).toBe('7002');
      } finally {
        unlinkSync(path.join(project, file));
      }
      expect(portWith(sound({ NODE_ENV, PORT: '7003' }))).toBe('7003');
      expect(portWith(sound({ NODE_ENV }))).not.toBe('7001');
    });

    it('prints what is invalid in it without the value', async () => {
      writeFileSync(path.join(project, '.env.prod'), 'PORT=value-in-the-file\n');
      try {
        const { code, lines, stderr } = await ended(sound());
        expect(code).toBe(1);
        expect(lines).toHaveLength(1);
        expect(stderr).toMatch(/^PORT /);
        expect(stderr).not.toContain('value-in-the-file');
      } finally {
        unlinkSync(path.join(project, '.env.prod'));
      }
    });
  });

  describe('when it runs in prod', () => {
    it('warns only if JWT_ISSUER is not set', async () => {
      const warnings = (service: ServiceProcess) =>
        service.logs.filter(
          ({ level, message }) => level === 'warn' && String(message).includes('JWT_ISSUER'),
        );
      expect(warnings(await running({ JWT_ISSUER: '' }))).toHaveLength(1);
      expect(warnings(await running())).toEqual([]);
    });

    it('warns of each unsafe setting and of a private key that everyone can read', async () => {
      const open = certsDir();
      chmodSync(path.join(open, 'private.pem'), 0o644);
      const service = await running({ CERTS_DIR: open, RATE_LIMIT_ENABLED: 'false' });
      const warnings = service.logs.filter(({ event }) => event === 'sys_unsafe_setting');
      expect(warnings.map(({ setting, file }) => setting ?? file)).toEqual([
        'RATE_LIMIT_ENABLED',
        'COOKIE_SECURE',
        path.join(open, 'private.pem'),
      ]);
    });

    it('logs JSON lines with UTC times from start to stop', async () => {
      const service = await running();
      await said(service, 'sys_startup');
      expect(await service.stop()).toBe(0);
      expect(service.logs.map(({ event }) => event)).toEqual(
        expect.arrayContaining(['sys_startup', 'sys_shutdown']),
      );
      for (const { timestamp } of service.logs)
        expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(service.stderr).toBe('');
    });

    it('opens a session that a logout ends', async () => {
      const service = await running();
      const { status, tokens } = await service.post('/auth/register', {}, aUser());
      expect(status).toBe(201);
      expect((await service.get('/auth/self', tokens)).status).toBe(200);
      expect((await service.post('/auth/logout', tokens)).status).toBe(200);
      expect((await service.get('/auth/self', tokens)).status).toBe(401);
    });
  });

  describe('when it gets a signal to stop', () => {
    it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 by %s', async (signal) => {
      const service = await running();
      expect(await service.stop(signal)).toBe(0);
    });

    it('finishes the request in flight and closes its connection', async () => {
      const service = await running();
      const body = JSON.stringify(aUser());
      const req = http.request({
        port: service.port,
        method: 'POST',
        path: '/auth/register',
        agent: new http.Agent({ keepAlive: true }),
        headers: {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
          Expect: '100-continue',
        },
      });
      req.flushHeaders();
      // The request has been accepted by then.
      await once(req, 'continue');
      const exit = service.stop();
      await said(service, 'sys_shutdown');
      req.end(body);
      const [res] = (await once(req, 'response')) as [http.IncomingMessage];
      res.resume();
      expect(res.statusCode).toBe(201);
      expect(await exit).toBe(0);
    });
  });

  describe('when the database goes away and comes back', () => {
    it('responds with 503, then recovers in the same process', async () => {
      const line = await startLine();
      try {
        const service = await running({ DB_PORT: String(line.port) });
        const user = aUser();
        const { tokens } = await service.post('/auth/register', {}, user);
        await line.cut();
        for (const answer of [
          await service.get('/auth/self', tokens),
          await service.post('/auth/login', {}, user),
          await service.post('/auth/register', {}, aUser()),
          await service.post('/auth/refresh', tokens),
          await service.get('/health/ready'),
        ]) {
          expect(answer.status).toBe(503);
          expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
          expect(answer.headers.get('set-cookie')).toBeNull();
        }
        expect((await service.get('/health/live')).status).toBe(200);
        await line.mend();
        await until(async () => (await service.get('/health/ready')).status === 200, 'recovery');
        expect((await service.post('/auth/refresh', tokens)).status).toBe(200);
      } finally {
        await line.stop();
      }
    });
  });

  describe('when the database refuses its password', () => {
    it('exits with 1 and one line without the password', async () => {
      const { code, lines, stderr, stdout } = await ended(
        sound({ DB_PASSWORD: 'not-the-password', PORT: String(await freePort()) }),
      );
      expect(code).toBe(1);
      expect(lines).toHaveLength(1);
      expect(stdout + stderr).not.toContain('not-the-password');
    });
  });
});
