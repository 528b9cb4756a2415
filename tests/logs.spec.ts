import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Config } from '../src/config';
import { Client } from 'pg';
import { ageReplacements } from './support/ageReplacements';
import { cookieHeader } from './harness/cookieHeader';
import { aUser, type Tokens } from './support/client';
import { certsDir } from './harness/certsDir';
import { freePort } from './harness/freePort';
import { tempFolder } from './harness/tempFolder';
import { until } from './harness/until';
import { ServiceProcess } from './support/process';
import type { LogLine } from './support/capturingLogger';
import { createDatabase, environmentFor } from './support/service';

/** Part of every input that must not be logged. */
const CANARY = 'canary7f3a';
const PASSWORD = `${CANARY} horse battery`;
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Sent {
  status: number;
  requestId: string;
  tokens: Tokens;
}

interface Input {
  method?: string;
  path: string;
  tokens?: Tokens;
  body?: unknown;
  headers?: Record<string, string>;
}

describe('the log', () => {
  let database: Config['database'];
  let admin: Client;
  let service: ServiceProcess;
  let auditFolder: string;
  const sent: Sent[] = [];
  const secrets: string[] = [];
  beforeAll(async () => {
    database = await createDatabase();
    admin = new Client({ ...database, user: database.username, database: database.name });
    await admin.connect();
    auditFolder = tempFolder('audit');
    service = await ServiceProcess.start(database, {
      CERTS_DIR: certsDir(),
      RATE_LIMIT_ENABLED: 'true',
      LOG_LEVEL: 'debug',
      AUDIT_LOG_FILE: path.join(auditFolder, 'audit.log'),
    });
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
    await admin.end();
  });

  /** Sends raw bytes, and remembers what must not be logged. */
  const send = ({ method = 'POST', path, tokens = {}, body, headers = {} }: Input) =>
    new Promise<Sent>((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const req = httpRequest(
        {
          port: service.port,
          host: '127.0.0.1',
          method,
          path: `${path}?token=${CANARY}-query&password=${CANARY}`,
          headers: {
            Cookie: `${cookieHeader(tokens)}; other=${CANARY}-cookie`,
            'Content-Type': 'application/json',
            'User-Agent': 'Mozilla/5.0 (test)',
            'Content-Length': Buffer.byteLength(text),
            ...headers,
          },
        },
        (res) => {
          res.resume();
          const value = (name: string) =>
            res.headers['set-cookie']
              ?.find((cookie) => cookie.startsWith(`${name}=`))
              ?.split(/[=;]/)[1];
          const given = { access: value('access_token'), refresh: value('refresh_token') };
          for (const token of Object.values(given)) if (token) secrets.push(token);
          const answer = {
            status: res.statusCode ?? 0,
            requestId: String(res.headers['x-request-id']),
            tokens: given,
          };
          sent.push(answer);
          res.once('end', () => {
            resolve(answer);
          });
        },
      );
      req.once('error', reject);
      req.end(text);
    });
  const account = async () => {
    const user = aUser({
      email: `${CANARY}.${secrets.length}@example.com`,
      firstName: 'Mergatroyd',
      lastName: 'Zzyzx',
      password: PASSWORD,
    });
    const { status, requestId, tokens } = await send({ path: '/auth/register', body: user });
    expect(status).toBe(201);
    return { user, tokens, requestId };
  };
  /** The lines of this request, when its last one has been written. */
  const linesOf = async ({ requestId }: Pick<Sent, 'requestId'>): Promise<LogLine[]> => {
    const lines = () => service.logs.filter((line) => line.requestId === requestId);
    await until(() => lines().some(({ message }) => message === 'request'), 'the line');
    return lines();
  };
  const expectEvent = async (of: Pick<Sent, 'requestId'>, event: string, fields: object = {}) => {
    const events = (await linesOf(of)).filter((line) => line.event !== undefined);
    expect(events).toEqual([
      expect.objectContaining({ event, ipAddress: '127.0.0.1', ...fields }) as unknown,
    ]);
  };
  const anId = expect.any(Number) as number;

  describe('when a security event happens', () => {
    it('has one event for a registration', async () => {
      await expectEvent(await account(), 'user_created', { userId: anId });
    });

    it('has one event for a login, right or wrong', async () => {
      const { user } = await account();
      const right = await send({ path: '/auth/login', body: user });
      await expectEvent(right, 'authn_login_success', { userId: anId });
      const wrong = { ...user, password: `${PASSWORD} wrong` };
      await expectEvent(await send({ path: '/auth/login', body: wrong }), 'authn_login_fail', {
        userId: anId,
        level: 'warn',
      });
      const unknown = { email: `${CANARY}@nowhere.example`, password: PASSWORD };
      await expectEvent(await send({ path: '/auth/login', body: unknown }), 'authn_login_fail');
    });

    it('has one event for each verdict on a refresh but rotate', async () => {
      const first = (await account()).tokens;
      const lost = await send({ path: '/auth/refresh', tokens: first });
      expect((await linesOf(lost)).filter(({ event }) => event)).toEqual([]);
      await ageReplacements(admin);
      const recovered = await send({ path: '/auth/refresh', tokens: first });
      await expectEvent(recovered, 'session_renewed', { verdict: 'recover', userId: anId });
      await send({ path: '/auth/refresh', tokens: recovered.tokens });
      await ageReplacements(admin);
      const theft = await send({ path: '/auth/refresh', tokens: lost.tokens });
      expect(theft.status).toBe(401);
      await expectEvent(theft, 'authn_token_reuse', { userId: anId, level: 'error' });
      const ended = await send({ path: '/auth/refresh', tokens: recovered.tokens });
      await expectEvent(ended, 'session_use_after_expire', { userId: anId });
    });

    it('has one event for a logout', async () => {
      const { tokens } = await account();
      const logout = await send({ path: '/auth/logout', tokens });
      await expectEvent(logout, 'session_expired', { reason: 'logout', userId: anId });
    });

    it('has one event for a change of the password and for a deletion', async () => {
      const { user, tokens } = await account();
      const newPassword = `${PASSWORD} new`;
      const change = await send({
        method: 'PATCH',
        path: '/auth/password',
        tokens,
        body: { currentPassword: user.password, newPassword },
      });
      await expectEvent(change, 'authn_password_change', { userId: anId });
      const deletion = await send({
        method: 'DELETE',
        path: '/auth/self',
        tokens: change.tokens,
        body: { password: newPassword },
      });
      await expectEvent(deletion, 'user_deleted', { userId: anId });
    });

    it('has one event for a token that is not ours, and none for a missing one', async () => {
      const { tokens } = await account();
      const [header, payload, signature] = String(tokens.access).split('.');
      const forged = [header, payload, signature?.split('').toReversed().join('')].join('.');
      for (const [method, path, bad] of [
        ['GET', '/auth/self', { access: forged }],
        ['POST', '/auth/refresh', { refresh: forged }],
        ['POST', '/auth/logout', { ...tokens, access: forged }],
      ] as const) {
        const refused = await send({ method, path, tokens: bad });
        expect(refused.status).toBe(401);
        await expectEvent(refused, 'authz_fail', { level: 'warn', cause: 'unverified' });
      }
      const missing = await send({ method: 'GET', path: '/auth/self' });
      expect((await linesOf(missing)).filter(({ event }) => event)).toEqual([]);
    });

    it('has one event for a logout whose tokens name two sessions', async () => {
      const [one, other] = [(await account()).tokens, (await account()).tokens];
      const tokens = { access: one.access, refresh: other.refresh };
      const mismatched = await send({ path: '/auth/logout', tokens });
      expect(mismatched.status).toBe(401);
      await expectEvent(mismatched, 'authz_fail', { cause: 'mismatched', userId: anId });
    });

    it('has one event for a login that replaces the session of its jar', async () => {
      const { user, tokens } = await account();
      const login = await send({ path: '/auth/login', tokens, body: user });
      const events = (await linesOf(login)).filter(({ event }) => event);
      expect(events).toMatchObject([
        { event: 'authn_login_success', userId: anId },
        { event: 'session_expired', reason: 'login', userId: anId },
      ]);
      expect(events[0]?.sessionId).not.toBe(events[1]?.sessionId);
    });

    it('has one event for a refused origin', async () => {
      const headers = { Origin: 'https://evil.example' };
      const refused = await send({ path: '/auth/login', headers, body: {} });
      expect(refused.status).toBe(403);
      await expectEvent(refused, 'malicious_cors', { level: 'warn' });
    });

    it('has one event for a limit', async () => {
      const { user } = await account();
      const body = { ...user, password: `${CANARY} guess` };
      let last = await send({ path: '/auth/login', body });
      for (let i = 0; last.status === 401 && i < 20; i += 1)
        last = await send({ path: '/auth/login', body });
      expect(last.status).toBe(429);
      await expectEvent(last, 'excess_rate_limit_exceeded', { level: 'warn' });
    });

    it('names each start', () => {
      expect(service.logs.filter(({ event }) => event === 'sys_startup')).toHaveLength(1);
    });
  });

  describe('when inputs try to forge log lines', () => {
    it('writes one line each, with its own field names', async () => {
      const breakers = [
        `${CANARY}\\r\\n{"event":"forged"}`,
        `"}\\n{"event":"forged","x":"`,
        '\u00a0\u0085',
        '%0d%0a{"event":"forged"}',
        'x'.repeat(5_000),
      ];
      for (const text of breakers) {
        const headers = {
          'User-Agent': text.replace(CANARY, ''),
          'X-Request-Id': text,
          Authorization: `Bearer ${CANARY}.${CANARY}.${CANARY}`,
          Referer: `https://${CANARY}.example/`,
          'X-Forwarded-For': text,
        };
        const login = await send({
          path: '/auth/login',
          headers,
          body: { email: `${CANARY}@x.example`, password: `${CANARY}${text}`, extra: text },
        });
        expect(login.requestId).toMatch(/^[\w-]{8,64}$/);
        await linesOf(login);
        await linesOf(await send({ method: 'GET', path: '/auth/self', headers }));
        const bad = await send({ path: '/auth/register', headers, body: [text] });
        expect(bad.status).toBe(400);
        await linesOf(bad);
      }
      expect(service.logs.filter(({ event }) => event === 'forged')).toEqual([]);
      for (const { userAgent } of service.logs)
        if (typeof userAgent === 'string') expect(userAgent.length).toBeLessThanOrEqual(255);
    });
  });

  describe('when something fails on our side', () => {
    it('logs it once with the request id, without the inputs', async () => {
      const { user } = await account();
      await admin.query(
        `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE 'a message with ${CANARY}'; END $$;
         CREATE TRIGGER fail BEFORE INSERT ON refresh_tokens EXECUTE FUNCTION fail();`,
      );
      const failed = await send({ path: '/auth/login', body: user });
      await admin.query('DROP FUNCTION fail CASCADE');
      expect(failed.status).toBe(500);
      const lines = (await linesOf(failed)).filter(({ message }) => message === 'request failed');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: 'error', code: 'internal-error' });
    });
  });

  describe('when all lines are read', () => {
    it('has no secret, e-mail or name, and a time and a request id on each line', async () => {
      const all = service.logs.map((line) => JSON.stringify(line)).join('\n');
      expect(sent.length).toBeGreaterThan(30);
      expect(secrets.length).toBeGreaterThan(10);
      expect(all).not.toContain(CANARY);
      expect(all).not.toMatch(/Mergatroyd|Zzyzx|\$2[aby]\$|\bBearer\b/);
      for (const secret of secrets) {
        expect(all).not.toContain(secret);
        expect(all).not.toContain(secret.split('.')[2]);
      }
      for (const line of service.logs) {
        expect(line.timestamp).toMatch(UTC);
        if (!String(line.event).startsWith('sys_')) expect(line.requestId).toMatch(/^[\w-]{8,64}$/);
      }
      for (const answer of sent) {
        const lines = (await linesOf(answer)).filter(({ message }) => message === 'request');
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatchObject({ status: answer.status });
      }
    });

    it('writes exactly the events to the audit file of the day', async () => {
      const inLog = () => service.logs.filter(({ event }) => event !== undefined);
      expect(await service.stop()).toBe(0);
      const files = readdirSync(auditFolder).filter((name) => name.endsWith('.log'));
      const today = new Date().toISOString().slice(0, 10);
      expect(files).toEqual([`audit-${today}.log`]);
      expect(statSync(path.join(auditFolder, files[0] ?? '')).mode & 0o777).toBe(0o600);
      const lines = readFileSync(path.join(auditFolder, files[0] ?? ''), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LogLine);
      expect(lines).toEqual(inLog());
      expect(lines.at(-1)?.event).toBe('sys_shutdown');
    });
  });

  describe('when the level hides all but errors', () => {
    it('still logs the events', async () => {
      const quiet = await ServiceProcess.start(database, { LOG_LEVEL: 'error' });
      expect((await quiet.post('/auth/register', {}, aUser())).status).toBe(201);
      expect(await quiet.stop()).toBe(0);
      const events = quiet.logs.map(({ event }) => event);
      expect(events).toEqual(
        expect.arrayContaining(['sys_startup', 'user_created', 'sys_shutdown']),
      );
      expect(events).not.toContain(undefined);
    });
  });

  describe('when the audit file cannot be written', () => {
    let folder: string;
    beforeEach(() => {
      folder = tempFolder('audit');
    });
    afterEach(() => {
      rmSync(folder, { recursive: true });
    });
    const register = async (of: ServiceProcess) => {
      expect((await of.post('/auth/register', {}, aUser())).status).toBe(201);
    };
    const reports = (of: ServiceProcess) =>
      of.logs
        .filter(({ message }) => String(message).startsWith('the audit file'))
        .map(({ cause, lost }) => cause ?? lost);

    it('reports it once, keeps serving, and writes again when it can', async () => {
      // A file in place of the folder.
      const inTheWay = path.join(folder, 'logs');
      writeFileSync(inTheWay, '');
      const AUDIT_LOG_FILE = path.join(inTheWay, 'audit.log');
      const audited = await ServiceProcess.start(database, { AUDIT_LOG_FILE });
      await register(audited);
      await register(audited);
      expect(reports(audited)).toEqual(['EEXIST']);
      rmSync(inTheWay);
      await register(audited);
      await until(() => reports(audited).length === 2, 'the second report');
      expect(reports(audited)[1]).toBeGreaterThan(2);
      expect(await audited.stop()).toBe(0);
      const [file = ''] = readdirSync(inTheWay);
      expect(readFileSync(path.join(inTheWay, file), 'utf8')).toContain('"user_created"');
    });

    it('keeps serving with a full disk', async () => {
      const today = new Date().toISOString().slice(0, 10);
      symlinkSync('/dev/full', path.join(folder, `audit-${today}.log`));
      const AUDIT_LOG_FILE = path.join(folder, 'audit.log');
      const audited = await ServiceProcess.start(database, { AUDIT_LOG_FILE });
      await register(audited);
      await register(audited);
      expect(reports(audited)).toEqual(['ENOSPC']);
      expect(await audited.stop()).toBe(0);
    });
  });

  describe('when the disk of standard output is full', () => {
    /** Serves with its standard output on a full disk until `work` is done; resolves to its stderr. */
    const onFullDisk = async (
      settings: NodeJS.ProcessEnv,
      work: (origin: string) => Promise<void>,
    ) => {
      const port = await freePort();
      const full = openSync('/dev/full', 'w');
      const child = spawn(
        process.execPath,
        [path.join(process.env.TEST_BUILD ?? '', 'server.js')],
        {
          env: {
            PATH: process.env.PATH,
            ...environmentFor(database, { PORT: String(port), CERTS_DIR: certsDir(), ...settings }),
          },
          stdio: ['ignore', full, 'pipe'],
        },
      );
      closeSync(full);
      const exited = once(child, 'exit');
      if (!child.stderr) throw new Error('the output of the service goes elsewhere');
      const stderr = text(child.stderr);
      const origin = `http://127.0.0.1:${port}`;
      try {
        const ready = async () => (await fetch(`${origin}/health/ready`)).status === 200;
        await until(ready, 'ready');
        await work(origin);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await exited).toEqual([0, null]);
      return stderr;
    };
    const register = async (origin: string) => {
      const { status } = await fetch(`${origin}/auth/register`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(aUser()),
      });
      expect(status).toBe(201);
    };
    const registerTwice = async (origin: string) => {
      await register(origin);
      await register(origin);
    };
    const report = {
      level: 'error',
      event: 'sys_monitor_disabled',
      message: 'standard output cannot be written; the service continues without it',
      cause: 'ENOSPC',
    };

    it('goes on, and says so once on stderr', async () => {
      expect(JSON.parse(await onFullDisk({}, registerTwice))).toEqual(report);
    });

    it('goes on, and says so once in the audit file, beside the events', async () => {
      const folder = tempFolder('audit');
      const settings = { AUDIT_LOG_FILE: path.join(folder, 'audit.log') };
      expect(await onFullDisk(settings, registerTwice)).toBe('');
      const [file = ''] = readdirSync(folder);
      const lines = readFileSync(path.join(folder, file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as LogLine);
      const events = lines.map(({ event }) => event);
      expect(events.filter((event) => event === 'user_created')).toHaveLength(2);
      expect(lines.filter(({ event }) => event === report.event)).toEqual([
        expect.objectContaining(report),
      ]);
    });
  });

  describe('when nobody reads it any more', () => {
    it('keeps serving', async () => {
      const port = await freePort();
      const child = spawn(
        process.execPath,
        [path.join(process.env.TEST_BUILD ?? '', 'server.js')],
        {
          env: {
            PATH: process.env.PATH,
            ...environmentFor(database, { PORT: String(port), CERTS_DIR: certsDir() }),
          },
        },
      );
      const exited = once(child, 'exit');
      try {
        await once(child.stdout, 'data');
        child.stdout.destroy();
        const live = async () =>
          fetch(`http://127.0.0.1:${port}/health/ready`).then(
            ({ status }) => status,
            () => 0,
          );
        await until(async () => (await live()) === 200, 'ready');
        for (let i = 0; i < 50; i += 1) expect(await live()).toBe(200);
        expect(child.exitCode).toBeNull();
      } finally {
        child.kill('SIGTERM');
      }
      expect(await exited).toEqual([0, null]);
    });
  });
});
