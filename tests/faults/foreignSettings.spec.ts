import path from 'node:path';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { certsDir } from '../harness/certsDir';
import { databaseSettings } from '../harness/databaseSettings';
import { runNode } from '../harness/runNode';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { OwnPostgres } from '../support/ownPostgres';
import { ServiceProcess } from '../support/process';

/** Settings that an administrator may have given the role for other purposes. */
const FOREIGN = [
  `DateStyle = 'SQL, DMY'`,
  `IntervalStyle = 'iso_8601'`,
  `TimeZone = 'Asia/Kolkata'`,
  `default_transaction_isolation = 'serializable'`,
  'array_nulls = off',
  'standard_conforming_strings = off',
  'statement_timeout = 1',
  'lock_timeout = 1',
];

describe('a PostgreSQL with unusual settings', () => {
  let postgres: OwnPostgres;
  const started: ServiceProcess[] = [];
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(started.map((service) => service.stop('SIGKILL')));
    await postgres.remove();
  });

  const spawned = async (overrides: NodeJS.ProcessEnv = {}) => {
    const service = await ServiceProcess.spawn(postgres.database, {
      CERTS_DIR: certsDir(),
      RATE_LIMIT_ENABLED: 'true',
      ...overrides,
    });
    started.push(service);
    return service;
  };
  const live = (service: ServiceProcess) =>
    until(async () => (await service.get('/health/live')).status === 200, 'live');
  const ready = (service: ServiceProcess) =>
    until(async () => (await service.get('/health/ready')).status === 200, 'ready');

  describe('when the role has other defaults', () => {
    beforeAll(async () => {
      for (const setting of FOREIGN) await postgres.run(`ALTER ROLE service SET ${setting}`);
    });
    afterAll(async () => {
      await postgres.run('ALTER ROLE service RESET ALL');
    });

    it('serves many requests at once', async () => {
      const service = await spawned();
      await ready(service);
      const people = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const user = aUser();
          const { status, tokens } = await service.post('/auth/register', {}, user);
          expect(status).toBe(201);
          return { user, tokens };
        }),
      );
      const outcomes = await Promise.all(
        people.map(async ({ user, tokens }) => {
          const self = await service.get('/auth/self', tokens);
          const { createdAt } = self.body.user as { createdAt: string };
          expect(Math.abs(Date.parse(createdAt) - Date.now())).toBeLessThan(60_000);
          const refreshed = await Promise.all([
            service.post('/auth/refresh', tokens),
            service.post('/auth/refresh', tokens),
            service.post('/auth/login', {}, user),
            service.get('/auth/sessions', tokens),
          ]);
          return refreshed.map(({ status }) => status);
        }),
      );
      expect(new Set(outcomes.flat())).toEqual(new Set([200]));
    });

    it('runs migrations', async () => {
      await postgres.run('CREATE DATABASE empty OWNER service');
      const database = { ...postgres.database, name: 'empty' };
      const dataSource = await createDataSource(database, MIGRATION_OPTIONS).initialize();
      try {
        expect(await dataSource.runMigrations()).toHaveLength(dataSource.migrations.length);
      } finally {
        await dataSource.destroy();
      }
    });
  });

  describe('when a schema with the role’s name has tables of the same names', () => {
    it('uses its own tables, also in migrations', async () => {
      await postgres.run('CREATE SCHEMA service AUTHORIZATION service', 'service');
      await postgres.run('CREATE TABLE service.users (id integer)', 'service');
      await postgres.run('CREATE TABLE service.migrations (id integer)', 'service');
      try {
        const dataSource = await createDataSource(
          postgres.database,
          MIGRATION_OPTIONS,
        ).initialize();
        expect(await dataSource.runMigrations()).toEqual([]);
        await dataSource.destroy();
        const service = await spawned();
        await ready(service);
        expect((await service.post('/auth/register', {}, aUser())).status).toBe(201);
      } finally {
        await postgres.run('DROP SCHEMA service CASCADE', 'service');
      }
    });
  });

  describe('when transactions conflict', () => {
    it('retries them', async () => {
      const service = await spawned();
      await ready(service);
      // The first two inserts fail like one of two concurrent transactions.
      await postgres.run(
        `CREATE SEQUENCE conflicts;
         CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
         BEGIN
           IF nextval('conflicts') <= 2 THEN
             RAISE 'conflict' USING ERRCODE = CASE TG_TABLE_NAME WHEN 'users' THEN '40001' ELSE '40P01' END;
           END IF;
           RETURN NEW;
         END $$;
         CREATE TRIGGER conflict BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION conflict();
         CREATE TRIGGER conflict BEFORE INSERT ON refresh_tokens FOR EACH ROW EXECUTE FUNCTION conflict();`,
        'service',
      );
      try {
        const user = aUser();
        expect((await service.post('/auth/register', {}, user)).status).toBe(201);
        await postgres.run(`SELECT setval('conflicts', 1, false)`, 'service');
        expect((await service.post('/auth/login', {}, user)).status).toBe(200);
        const rows = await postgres.run(
          `SELECT count(*)::integer AS count FROM refresh_tokens
           JOIN users ON users.id = user_id WHERE email = '${user.email}'`,
          'service',
        );
        expect(rows).toEqual([{ count: 2 }]);

        // A lasting conflict is an outage, not an internal error.
        await postgres.run(`ALTER SEQUENCE conflicts MINVALUE -1000 RESTART WITH -1000`, 'service');
        expect((await service.post('/auth/login', {}, user)).status).toBe(503);
      } finally {
        await postgres.run('DROP FUNCTION conflict CASCADE', 'service');
      }
    });
  });

  describe('when migrations are pending', () => {
    it('logs them at the start, responds with 503, and serves once they have run', async () => {
      await postgres.run('CREATE DATABASE pending OWNER service');
      const database = { ...postgres.database, name: 'pending' };
      const service = await spawned({ DB_NAME: 'pending' });
      await live(service);
      const dataSource = await createDataSource(database, MIGRATION_OPTIONS).initialize();
      try {
        const names = dataSource.migrations.map(({ constructor }) => constructor.name);
        const reports = () => service.logs.filter(({ migrations }) => migrations !== undefined);
        await until(() => reports().length > 0, 'the names');
        expect(reports()).toEqual([expect.objectContaining({ level: 'error', migrations: names })]);
        const user = aUser();
        for (const response of [
          await service.get('/health/ready'),
          await service.post('/auth/login', {}, user),
          await service.post('/auth/register', {}, user),
        ]) {
          expect(response.status).toBe(503);
          expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
        }
        await dataSource.runMigrations();
        await ready(service);
        expect((await service.post('/auth/register', {}, user)).status).toBe(201);
        // The service still works without the last two: converted e-mails and an index.
        await dataSource.undoLastMigration();
        await dataSource.undoLastMigration();
        await dataSource.undoLastMigration();
        expect((await service.post('/auth/login', {}, user)).status).toBe(503);
      } finally {
        await dataSource.destroy();
      }
    });
  });

  describe('when the encoding is not UTF8', () => {
    it.each(['LATIN1', 'SQL_ASCII'])(
      'exits with 1 and says what to do about %s',
      async (encoding) => {
        const name = encoding.toLowerCase();
        await postgres.run(
          `CREATE DATABASE ${name} OWNER service TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`,
        );
        const service = await spawned({ DB_NAME: name });
        await until(() => service.exitCode !== null, 'the exit');
        expect(service.exitCode).toBe(1);
        expect(service.stderr).toContain(encoding);
        expect(service.stderr).toContain(`ENCODING 'UTF8'`);
        const command = path.join(process.env.TEST_BUILD ?? '', 'commands/migrate.js');
        const database = databaseSettings({ ...postgres.database, name });
        const { code, stdout, stderr } = runNode([command], database);
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
        expect(service.stderr).toBe(`the service cannot start: ${stderr}`);
      },
    );
  });

  describe('when the password is changed on the server', () => {
    it('responds with 503 while running, and exits with 1 at the next start', async () => {
      const service = await spawned();
      await ready(service);
      const { database } = postgres;
      await postgres.run(`ALTER ROLE service PASSWORD 'another one'`);
      await postgres.disconnect();
      try {
        const login = () => service.post('/auth/login', {}, aUser());
        for (let i = 0; i < 3; i += 1) expect((await login()).status).toBe(503);
        const second = await spawned();
        await until(() => second.exitCode !== null, 'the exit');
        expect(second.exitCode).toBe(1);
      } finally {
        await postgres.run(`ALTER ROLE service PASSWORD '${database.password}'`);
      }
      await ready(service);
    });
  });
});
