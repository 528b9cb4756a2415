import { Client } from 'pg';
import type { Config } from '../../src/config';
import { Database, type Statement } from '../../src/database/Database';
import { isProblem } from '../../src/errors/problems';
import { noMetrics } from '../../src/metrics/noMetrics';
import { SessionService } from '../../src/service/SessionService';
import type { LiveSession, RefreshedSession } from '../../src/types/session';
import { aUser, clientOf } from '../support/client';
import { startService, type TestService } from '../support/service';

const CALLER = {
  requestId: 'test',
  ipAddress: '192.0.2.1',
  network: null,
  site: null,
  userAgent: 'Jest',
};

describe('refreshes that share a statement', () => {
  let service: TestService;
  let owner: { id: number; passwordHash: string };
  const run: string[] = [];

  /** The sessions of one replica; `run` collects the names of its statements. */
  const replica = (settings: Partial<Config['sessions']> = {}) => {
    const database = new Database(service.dataSource, noMetrics, service.config.database);
    const noted = Object.assign(Object.create(database) as Database, {
      query: <Row>(statement: Statement, values: readonly unknown[]) => {
        run.push(statement.name);
        return database.query<Row>(statement, values);
      },
    });
    return new SessionService({ ...service.config.sessions, ...settings }, noted, noMetrics);
  };

  beforeAll(async () => {
    service = await startService();
    await clientOf(service).register(aUser()).expect(201);
    const [user] = await service.dataSource.query<(typeof owner)[]>(
      'SELECT id, password AS "passwordHash" FROM users',
    );
    if (user === undefined) throw new Error('nobody is registered');
    owner = user;
  });
  afterAll(() => service.stop());

  const open = async (sessions: SessionService, count: number) => {
    const opened: LiveSession[] = [];
    for (let i = 0; i < count; i += 1) {
      opened.push(await sessions.open(owner, CALLER));
    }
    run.length = 0;
    return opened;
  };
  const present = (sessions: SessionService, live: LiveSession) => sessions.rotate(live, CALLER);
  /** The verdict, or the code of the refusal. */
  const verdictOf = async (presented: Promise<RefreshedSession>) => {
    try {
      return (await presented).verdict;
    } catch (error) {
      return isProblem(error) ? error.code : error;
    }
  };

  const rotated = async (sessions: SessionService, live: LiveSession) => {
    const outcome = await present(sessions, live);
    if (outcome.verdict !== 'rotate') throw new Error(outcome.verdict);
    return outcome.session;
  };

  describe('when many sessions refresh in one turn', () => {
    it('runs one statement for all, and gives each its own successor', async () => {
      const sessions = replica();
      const opened = await open(sessions, 20);
      const outcomes = await Promise.all(opened.map((live) => present(sessions, live)));
      expect(run).toEqual(['session-rotate']);
      expect(outcomes).toMatchObject(
        opened.map(({ sessionId }) => ({ verdict: 'rotate', session: { sessionId } })),
      );
      const tokens = [...opened, ...outcomes.map(({ session }) => session)];
      expect(new Set(tokens.map(({ tokenId }) => tokenId)).size).toBe(40);
    });
  });

  describe('when one token is presented twice in one turn', () => {
    it('rotates once, and replays the successor to the second', async () => {
      const sessions = replica();
      const [live] = (await open(sessions, 1)) as [LiveSession];
      const [first, second] = await Promise.all([present(sessions, live), present(sessions, live)]);
      expect(first).toMatchObject({ verdict: 'rotate' });
      expect(second).toEqual({ ...first, verdict: 'replay' });
    });
  });

  describe('when the window is 0', () => {
    it('ends the session at the second presentation, even in the same turn', async () => {
      const strict = replica({ reuseWindow: 0 });
      const [live] = (await open(strict, 1)) as [LiveSession];
      const outcomes = [present(strict, live), present(strict, live)];
      expect(await Promise.all(outcomes.map(verdictOf))).toEqual(['rotate', 'token-reused']);
      expect(await verdictOf(present(strict, live))).toBe('session-ended');
    });

    it('always accepts the live token, and ends the session for its direct predecessor', async () => {
      const strict = replica({ reuseWindow: 0 });
      const [old] = (await open(strict, 1)) as [LiveSession];
      const second = await rotated(strict, old);
      const third = await rotated(strict, second);
      await service.advance(3_600);
      await rotated(strict, third);
      expect(await verdictOf(present(strict, third))).toBe('token-reused');
    });
  });

  describe('when a session’s old and live token are presented in one turn', () => {
    it('rotates the one, and replays the successor to the other', async () => {
      const sessions = replica();
      const [old] = (await open(sessions, 1)) as [LiveSession];
      const live = await rotated(sessions, old);
      const [replayed, again] = await Promise.all([
        present(sessions, old),
        present(sessions, live),
      ]);
      expect(again).toMatchObject({ verdict: 'rotate' });
      expect(replayed).toEqual({ ...again, verdict: 'replay' });
    });
  });

  describe('when a token of another session, or of another user, has the same id', () => {
    it('does not give it the other session', async () => {
      const sessions = replica();
      const [live, other] = (await open(sessions, 2)) as [LiveSession, LiveSession];
      const presented = [
        present(sessions, { ...live, userId: live.userId + 1 }),
        present(sessions, { ...live, sessionId: other.sessionId }),
        present(sessions, live),
      ];
      // The first two end the session they name, because no honest client has such a token.
      expect(await Promise.all(presented.map(verdictOf))).toEqual([
        'token-reused',
        'token-reused',
        'rotate',
      ]);
    });
  });

  describe('when one of the sessions has ended or expired', () => {
    it('reports it for that one only', async () => {
      const sessions = replica();
      const [ended, expired, live] = (await open(sessions, 3)) as [
        LiveSession,
        LiveSession,
        LiveSession,
      ];
      await sessions.end(ended);
      await service.dataSource.query(
        'UPDATE refresh_tokens SET expires_at = test_clock.now() WHERE session_id = $1',
        [expired.sessionId],
      );
      const presented = [ended, expired, live].map((session) => present(sessions, session));
      expect(await Promise.all(presented.map(verdictOf))).toEqual([
        'session-ended',
        'session-ended',
        'rotate',
      ]);
    });
  });

  describe('when the row of one of the sessions is locked', () => {
    it('rotates the others at once, and that one after the lock', async () => {
      const sessions = replica();
      const [before, free] = (await open(sessions, 2)) as [LiveSession, LiveSession];
      const held = await rotated(sessions, before);
      run.length = 0;
      const { username, ...database } = service.config.database;
      const holder = new Client({ ...database, user: username, database: database.name });
      await holder.connect();
      await holder.query('BEGIN');
      await holder.query('SELECT FROM refresh_tokens WHERE session_id = $1 FOR UPDATE', [
        held.sessionId,
      ]);
      const waiting = present(sessions, held);
      expect(await present(sessions, free)).toMatchObject({ verdict: 'rotate' });
      await holder.query('COMMIT');
      await holder.end();
      expect(await waiting).toMatchObject({
        verdict: 'rotate',
        session: { sessionId: held.sessionId },
      });
      expect(run).toEqual(['session-rotate', 'session-settle']);
      // After the lock it still has its predecessor.
      expect(await present(sessions, held)).toMatchObject({ verdict: 'replay' });
      expect(await present(sessions, before)).toMatchObject({ verdict: 'replay' });
    });
  });

  describe('when a session refreshes in bursts', () => {
    const predecessorsOf = async ({ sessionId }: LiveSession) => {
      const [row] = await service.dataSource.query<{ count: number }[]>(
        `SELECT jsonb_array_length(predecessors) AS count FROM refresh_tokens
         WHERE session_id = $1`,
        [sessionId],
      );
      return row?.count;
    };

    it('remembers at most 32 predecessors, and one after a quiet time', async () => {
      const sessions = replica();
      let [live] = (await open(sessions, 1)) as [LiveSession];
      for (let turn = 0; turn < 40; turn += 1) live = await rotated(sessions, live);
      expect(await predecessorsOf(live)).toBe(32);
      await service.advance(11);
      live = await rotated(sessions, live);
      expect(await predecessorsOf(live)).toBe(1);
    });

    it('remembers no more of them after repeated recoveries', async () => {
      const sessions = replica({ reuseWindow: 300 });
      let [live] = (await open(sessions, 1)) as [LiveSession];
      const past: LiveSession[] = [];
      const recovered: string[] = [];
      for (let turn = 0; turn < 120; turn += 1) {
        await service.advance(13.3);
        past.push(live);
        // Older than the window when it is presented (306 s), but not when the live token was created.
        const old = past.at(-24);
        const outcome = await present(sessions, turn % 4 === 0 && old ? old : live);
        if (outcome.verdict === 'recover') recovered.push(outcome.session.tokenId);
        live = outcome.session;
      }
      expect(recovered).not.toEqual([]);
      expect(await predecessorsOf(live)).toBe(32);
    });

    it('uses the newest entry of a recovered token', async () => {
      const [sessions, patient] = [replica(), replica({ reuseWindow: 12 })];
      const [first] = (await open(sessions, 1)) as [LiveSession];
      const second = await rotated(sessions, first);
      await service.advance(6);
      await rotated(sessions, second);
      await service.advance(5);
      expect(await present(sessions, first)).toMatchObject({ verdict: 'recover' });
      await service.advance(1.5);
      expect(await present(patient, first)).toMatchObject({ verdict: 'replay' });
    });
  });

  describe('when two replicas get the same tokens in opposite order', () => {
    it('does not deadlock', async () => {
      const [one, other] = [replica(), replica()];
      const opened = await open(one, 30);
      for (let round = 0; round < 5; round += 1) {
        const outcomes = await Promise.all([
          ...opened.map((live) => present(one, live)),
          ...opened.toReversed().map((live) => present(other, live)),
        ]);
        const verdicts = outcomes.map(({ verdict }) => verdict);
        expect(verdicts.filter((verdict) => verdict === 'rotate')).toHaveLength(30);
        expect(verdicts.filter((verdict) => verdict === 'replay')).toHaveLength(30);
        for (const outcome of outcomes) {
          const index = opened.findIndex(
            ({ sessionId }) => outcome.session.sessionId === sessionId,
          );
          opened[index] = outcome.session;
        }
      }
    });
  });
});
