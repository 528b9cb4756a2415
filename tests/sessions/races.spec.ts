import { Client } from 'pg';
import type { Config } from '../../src/config';
import { ageReplacements } from '../support/ageReplacements';
import { aUser, type Tokens } from '../support/client';
import { certsDir } from '../harness/certsDir';
import { until } from '../harness/until';
import { ServiceProcess } from '../support/process';
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
        await ageReplacements(admin);
        const answers = await Promise.all(refreshMany(24, tokens));
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
        const siblings = new Set(answers.map((answer) => answer.tokens.refresh));
        expect({ round, siblings: siblings.size }).toEqual({ round, siblings: 1 });
        expect(siblings).not.toContain(lost.tokens.refresh);
        expect(await rowsOf(tokens)).toBe(1);
      }
    });
  });

  describe('when a logout and refreshes run at once', () => {
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

  describe('when the account is deleted during refreshes', () => {
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

  describe('when logins with the old password and a change of password run at once', () => {
    it('keeps only the session that changed it', async () => {
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

  const untilBlocked = (count: number) =>
    until(async () => {
      const blocked = await admin.query(
        `SELECT FROM pg_stat_activity
         WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      return blocked.rows.length >= count;
    }, 'statements wait for a row');

  /**
   * Locks the rows of all sessions while `begin` starts; resolves to its result, after the given number of
   * statements waits for a row and the lock is released.
   */
  const whileRowsAreHeld = async <T>(
    waiting: number,
    begin: () => T,
    then?: () => Promise<void>,
  ) => {
    const holder = new Client({ ...database, user: database.username, database: database.name });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM refresh_tokens FOR UPDATE');
    const begun = begin();
    await untilBlocked(waiting);
    await then?.();
    await holder.query('COMMIT');
    await holder.end();
    return begun;
  };

  describe('when two recoveries of one token meet at its row', () => {
    it('recovers once and gives both the same sibling', async () => {
      const tokens = await login();
      await replica(0).post('/auth/refresh', tokens);
      await ageReplacements(admin);
      const answers = await whileRowsAreHeld(2, () => Promise.all(refreshMany(2, tokens)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[0]?.tokens.refresh).toBe(answers[1]?.tokens.refresh);
    });
  });

  describe('when a login with the old password waits for a change of password', () => {
    it('is refused', async () => {
      const careful = aUser();
      const { tokens } = await replica(0).post('/auth/register', {}, careful);
      const holder = new Client({ ...database, user: database.username, database: database.name });
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query('UPDATE users SET password = $1 WHERE email = $2', [
        'x'.repeat(60),
        careful.email,
      ]);
      const login = replica(1).post('/auth/login', {}, careful);
      await untilBlocked(1);
      await holder.query('COMMIT');
      await holder.end();
      expect((await login).status).toBe(401);
      expect(await rowsOf(tokens)).toBe(1);
    });
  });

  describe('when a process is killed in the middle of a rotation', () => {
    it('keeps the session for its owner', async () => {
      const tokens = { refresh: (await login()).refresh };
      const victim = await ServiceProcess.start(database, { CERTS_DIR: certsDir() });
      const unanswered = await whileRowsAreHeld(
        1,
        () => victim.post('/auth/refresh', tokens),
        async () => {
          await victim.stop('SIGKILL');
        },
      );
      expect(unanswered.status).toBe(0);

      const again = await replicas[0].post('/auth/refresh', tokens);
      expect(again.status).toBe(200);
      expect(await rowsOf(tokens)).toBe(1);
      expect((await replicas[1].post('/auth/refresh', again.tokens)).status).toBe(200);
    });
  });
});
