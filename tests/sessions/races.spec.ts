import { Client } from 'pg';
import type { Config } from '../../src/config';
import { aUser, type Tokens } from '../support/client';
import { certsDir, ServiceProcess, until } from '../support/process';
import { createDatabase } from '../support/service';

const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('two replicas on one database', () => {
  let database: Config['database'];
  let replicas: [ServiceProcess, ServiceProcess];
  let admin: Client;
  const user = aUser();

  beforeAll(async () => {
    database = await createDatabase();
    admin = new Client({ ...database, user: database.username, database: database.name });
    await admin.connect();
    const shared = { CERTS_DIR: certsDir(), REFRESH_REUSE_WINDOW_SECONDS: '60' };
    replicas = [
      await ServiceProcess.start(database, shared),
      await ServiceProcess.start(database, shared),
    ];
    await replicas[0].post('/auth/register', {}, user);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await admin.end();
  });

  const login = async (credentials = user) => {
    const answer = await replicas[0].post('/auth/login', {}, credentials);
    expect(answer.status).toBe(200);
    return answer.tokens;
  };
  const replica = (index: number) => replicas[index % 2 === 0 ? 0 : 1];
  const refreshMany = (count: number, tokens: Tokens) =>
    range(count).map((index) => replica(index).post('/auth/refresh', tokens));
  const rowsOf = async (tokens: Tokens) => {
    const payload = tokens.refresh?.split('.')[1] ?? '';
    const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string };
    const found = await admin.query('SELECT id FROM refresh_tokens WHERE session_id = $1', [sid]);
    return found.rows.length;
  };

  describe('when 24 refreshes of one token arrive at once', () => {
    it('rotates once and gives all of them the same successor', async () => {
      for (const round of range(5)) {
        const tokens = await login();
        const answers = await Promise.all(refreshMany(24, tokens));
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
        const successors = new Set(answers.map((answer) => answer.tokens.refresh));
        expect({ round, successors: successors.size }).toEqual({ round, successors: 1 });
        expect(successors).not.toContain(tokens.refresh);
        expect(await rowsOf(tokens)).toBe(1);
      }
    });
  });

  describe('when 24 refreshes of a token whose successor was lost arrive at once', () => {
    it('recovers once and gives all of them the same sibling', async () => {
      for (const round of range(5)) {
        const tokens = await login();
        const lost = await replica(0).post('/auth/refresh', tokens);
        await admin.query(`
          UPDATE refresh_tokens SET predecessors = (
            SELECT jsonb_agg(entry || jsonb_build_object('replacedAt', now() - interval '1 hour'))
            FROM jsonb_array_elements(predecessors) AS entry
          ) WHERE predecessors <> '[]'`);
        const answers = await Promise.all(refreshMany(24, tokens));
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
        const siblings = new Set(answers.map((answer) => answer.tokens.refresh));
        expect({ round, siblings: siblings.size }).toEqual({ round, siblings: 1 });
        expect(siblings).not.toContain(lost.tokens.refresh);
        expect(await rowsOf(tokens)).toBe(1);
      }
    });
  });

  describe('when a logout runs against refreshes', () => {
    it('ends the session for good', async () => {
      for (const round of range(10)) {
        const tokens = await login();
        const [logout, ...refreshes] = await Promise.all([
          replica(round).post('/auth/logout', tokens),
          ...refreshMany(8, tokens),
        ]);
        expect(logout.status).toBe(200);
        expect(await rowsOf(tokens)).toBe(0);
        for (const refresh of refreshes) {
          expect([200, 401]).toContain(refresh.status);
          const after = await replica(1).post('/auth/refresh', refresh.tokens);
          expect(after.status).toBe(401);
        }
      }
    });
  });

  describe('when the account is deleted under refreshes', () => {
    it('leaves neither the user nor a session', async () => {
      for (const round of range(5)) {
        const mortal = aUser();
        const { tokens } = await replica(round).post('/auth/register', {}, mortal);
        const [deleted, ...refreshes] = await Promise.all([
          replica(round).send('DELETE', '/auth/self', tokens, { password: mortal.password }),
          ...refreshMany(8, tokens),
        ]);
        expect(deleted.status).toBe(200);
        expect(await rowsOf(tokens)).toBe(0);
        for (const { status } of refreshes) expect([200, 401]).toContain(status);
      }
    });
  });

  describe('when logins with the old password run against a change of the password', () => {
    it('leaves no session but the one that changed it', async () => {
      for (const round of range(3)) {
        const careful = aUser();
        const { tokens } = await replica(0).post('/auth/register', {}, careful);
        const change = { currentPassword: careful.password, newPassword: `another one ${round}` };
        const [changed] = await Promise.all([
          replica(0).send('PATCH', '/auth/password', tokens, change),
          ...range(6).map((index) => replica(index).post('/auth/login', {}, careful)),
        ]);
        expect(changed.status).toBe(200);
        const left = await replica(1).get('/auth/sessions', changed.tokens);
        expect(left.body.sessions).toHaveLength(1);
      }
    });
  });

  describe('when a process is killed in the middle of a rotation', () => {
    it('leaves the session to its owner, whether the rotation was committed or not', async () => {
      const payload = (await login()).refresh;
      const victim = await ServiceProcess.start(database, { CERTS_DIR: certsDir() });
      const tokens = { refresh: payload };
      // Holds the row, so that the rotation has begun and cannot end.
      await admin.query('BEGIN');
      await admin.query('SELECT FROM refresh_tokens FOR UPDATE');
      const unanswered = victim.post('/auth/refresh', tokens);
      const watcher = new Client({ ...database, user: database.username, database: database.name });
      await watcher.connect();
      await until(async () => {
        const waiting = await watcher.query(
          `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE refresh_tokens%' AND datname = current_database()`,
        );
        return waiting.rows.length > 0;
      }, 'the rotation waits for the row');
      await watcher.end();
      await victim.stop('SIGKILL');
      expect((await unanswered).status).toBe(0);
      await admin.query('COMMIT');

      const again = await replicas[0].post('/auth/refresh', tokens);
      expect(again.status).toBe(200);
      expect(await rowsOf(tokens)).toBe(1);
      expect((await replicas[1].post('/auth/refresh', again.tokens)).status).toBe(200);
    });
  });
});
