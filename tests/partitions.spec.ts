import type { QueryRunner } from 'typeorm';
import { createDataSource, MIGRATION_OPTIONS } from '../src/config/data-source';
import { createLogger } from '../src/config/logger';
import type { Statement } from '../src/database/Database';
import { PURGE } from '../src/database/purgeStatements';
import { rebuildSessions } from '../src/database/rebuildSessions';
import {
  CLOSE,
  CLOSE_ALL,
  OPEN,
  RENEW,
  ROTATE,
  SETTLE,
  TRIM,
} from '../src/database/sessionStatements';
import { FIND_BY_SESSIONS } from '../src/database/userStatements';
import { createPurge } from '../src/services';
import { explainExecuted } from './harness/explainExecuted';
import { aUser, clientOf, tokensOf, type Tokens } from './support/client';
import { startService, type TestService } from './support/service';

const PARTITIONS = 4;
const USERS = 8;
/** Enough that a scan of the table is not the cheapest plan. */
const MANY = 40_000;

interface Session {
  userId: number;
  sessionId: string;
  id: string;
  passwordHash: string;
}

/** Rebuilds the table on connections of its own, as the command does. */
async function rebuilt({ config }: TestService, partitions?: number) {
  const dataSource = createDataSource(config.database, MIGRATION_OPTIONS);
  await dataSource.initialize();
  try {
    return await rebuildSessions(dataSource, partitions);
  } finally {
    await dataSource.destroy();
  }
}

describe('sessions in partitions', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeEach(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterEach(() => service.stop());

  const rows = <Row>(sql: string) => service.dataSource.query<Row[]>(sql);
  const rebuild = (partitions?: number) => rebuilt(service, partitions);
  const register = async (count = USERS) => {
    const registered: { tokens: Required<Tokens>; user: ReturnType<typeof aUser> }[] = [];
    for (let n = 0; n < count; n += 1) {
      const user = aUser();
      registered.push({ user, tokens: tokensOf(await client.register(user).expect(201)) });
    }
    return registered;
  };
  const stored = () => rows<object>('SELECT * FROM refresh_tokens ORDER BY id');
  const perPartition = async () =>
    (
      await rows<{ count: number }>(
        'SELECT count(*)::integer FROM refresh_tokens GROUP BY tableoid ORDER BY tableoid',
      )
    ).map(({ count }) => count);

  describe('when the table is rebuilt while the service runs', () => {
    it.each([
      ['as partitions', [PARTITIONS]],
      ['as one table again', [PARTITIONS, undefined]],
      ['as partitions again', [PARTITIONS, undefined, PARTITIONS]],
    ])('keeps every session, and the same connections go on: %s', async (_how, forms) => {
      const registered = await register();
      for (const { tokens } of registered) await client.self(tokens).expect(200);
      const before = await stored();
      for (const form of forms) expect(await rebuild(form)).toBe(USERS);
      expect(await stored()).toEqual(before);
      expect((await perPartition()).length > 1).toBe(forms.at(-1) !== undefined);
      for (const { user, tokens } of registered) {
        await client.self(tokens).expect(200);
        const refreshed = tokensOf(await client.refresh(tokens).expect(200));
        await client.refresh(tokens).expect(200);
        await client.logout(refreshed).expect(200);
        await client.self(refreshed).expect(401);
        await client.login(user).expect(200);
      }
      expect(await stored()).toHaveLength(USERS);
    });

    it('lets requests read meanwhile, and those that write wait', async () => {
      const [{ tokens } = { tokens: {} }] = await register(1);
      const blocker = service.dataSource.createQueryRunner();
      await blocker.startTransaction();
      // As the command does before it copies.
      await blocker.query('LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE');
      await blocker.query('LOCK TABLE refresh_tokens IN EXCLUSIVE MODE');
      await client.self(tokens).expect(200);
      await client.refresh(tokens).expect(503);
      await blocker.rollbackTransaction();
      await blocker.release();
      await client.refresh(tokens).expect(200);
    });

    it('does nothing in the form that it has', async () => {
      expect(await rebuild()).toBeUndefined();
      await rebuild(PARTITIONS);
      expect(await rebuild(PARTITIONS)).toBeUndefined();
    });

    it('keeps the rights of another role', async () => {
      const role = `reader_${service.config.database.name}`;
      const rights = () =>
        rows(
          `SELECT has_table_privilege('${role}', 'refresh_tokens', 'INSERT') AS insert,
             has_table_privilege('${role}', 'refresh_tokens', 'DELETE') AS delete`,
        );
      await rows(`CREATE ROLE ${role}`);
      await rows(`GRANT SELECT, INSERT ON refresh_tokens TO ${role}`);
      for (const form of [PARTITIONS, undefined]) {
        await rebuild(form);
        expect(await rights()).toEqual([{ insert: true, delete: false }]);
        if (form !== undefined)
          expect(
            await rows(
              `SELECT has_sequence_privilege('${role}', 'refresh_tokens_id_seq', 'USAGE') AS use`,
            ),
          ).toEqual([{ use: true }]);
      }
      await rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });
  });

  describe('when the table is partitioned', () => {
    beforeEach(async () => {
      await register();
      await rebuild(PARTITIONS);
    });

    it('purges what has expired and nothing at the same place of another partition', async () => {
      await rows(
        `UPDATE refresh_tokens SET expires_at = now() - interval '1 second'
         WHERE user_id IN (SELECT user_id FROM refresh_tokens ORDER BY user_id LIMIT ${USERS / 2})`,
      );
      expect((await perPartition()).length).toBeGreaterThan(1);
      const logger = createLogger({ logLevel: 'error', auditLogFile: undefined });
      expect(await createPurge({ ...service, logger }).run()).toBe(USERS / 2);
      expect(await stored()).toHaveLength(USERS / 2);
    });

    it('deletes the sessions together with the user', async () => {
      await rows('DELETE FROM users');
      expect(await stored()).toEqual([]);
    });
  });
});

describe('the plans of partitions', () => {
  let service: TestService;
  let runner: QueryRunner;
  beforeAll(async () => {
    service = await startService();
    runner = service.dataSource.createQueryRunner();
    // The service's own connections end a statement after two seconds.
    await runner.query('SET statement_timeout = 0');
    await runner.query(`
      INSERT INTO users ("firstName", "lastName", email, password)
      SELECT 'Ada', 'Lovelace', 'ada' || n || '@example.com', 'x' FROM generate_series(1, 1000) AS n`);
    await runner.query(`
      INSERT INTO refresh_tokens (user_id, session_id, session_started_at, expires_at)
      SELECT 1 + n % 1000, gen_random_uuid(), now(), now() + n * interval '1 second'
      FROM generate_series(1, ${MANY}) AS n`);
    await rebuilt(service, PARTITIONS);
    await runner.query('ANALYZE');
  });
  afterAll(async () => {
    await runner.release();
    await service.stop();
  });

  const values: [Statement, (session: Session) => unknown[]][] = [
    [FIND_BY_SESSIONS, ({ sessionId, userId }) => [[sessionId], [userId]]],
    [
      ROTATE,
      ({ sessionId, id, userId }) => [
        ...[[sessionId], [id], [userId], 10, 100, 1_000],
        ...[['agent'], ['192.0.2.1']],
      ],
    ],
    [CLOSE, ({ sessionId, userId }) => [sessionId, userId]],
    [CLOSE_ALL, ({ sessionId, userId }) => [sessionId, userId, false]],
    [RENEW, ({ sessionId, userId }) => [sessionId, userId, 100, 1_000]],
    [TRIM, ({ userId }) => [userId, 0]],
    [
      OPEN,
      ({ userId, passwordHash, sessionId }) => [
        ...[userId, passwordHash, '00000000-0000-4000-8000-000000000000', 100, 'agent'],
        ...['192.0.2.1', null, [sessionId]],
      ],
    ],
  ];
  const nodesOf = async ({ text }: Statement, of: readonly unknown[]) => {
    const run = (sql: string) => runner.query(sql) as Promise<unknown>;
    return (await explainExecuted(run, text, of)).nodes;
  };
  const partitionsRead = async (statement: Statement, of: readonly unknown[]) => {
    const nodes = await nodesOf(statement, of);
    const read = nodes.filter(({ 'Node Type': type }) => type.includes('Scan'));
    const names = read.map((node) => node['Relation Name'] ?? '');
    return new Set(names.filter((name) => name.startsWith('refresh_tokens_')));
  };
  const sessions = () =>
    service.dataSource.query<Session[]>(
      `SELECT user_id AS "userId", session_id AS "sessionId", token.id,
         password AS "passwordHash"
       FROM refresh_tokens AS token JOIN users ON users.id = user_id
       ORDER BY token.id LIMIT ${USERS}`,
    );

  it.each(values.map(([statement, of]) => [statement.name, statement, of] as const))(
    '%s reads the partition of the user only',
    async (_name, statement, of) => {
      for (const session of await sessions())
        expect((await partitionsRead(statement, of(session))).size).toBe(1);
    },
  );

  it('looks everywhere for a session whose user is not known', async () => {
    const [session] = await sessions();
    const read = await partitionsRead(SETTLE, [
      ...[session?.sessionId, session?.id, session?.userId, 10, 100, 1_000],
      ...['agent', '192.0.2.1'],
    ]);
    expect(read.size).toBe(PARTITIONS);
  });

  it('finds what has expired by the index of each partition', async () => {
    const types = (await nodesOf(PURGE, [10])).map((node) => node['Node Type']);
    expect(types).toContain('Merge Append');
    expect(types).not.toContain('Seq Scan');
  });
});
