import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { DataSource } from 'typeorm';
import type { Config } from '../../src/config';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { migrations } from '../../src/migrations';
import { withMigrationLock } from '../../src/database/withMigrationLock';
import { until } from '../harness/until';
import { createDatabase } from '../support/service';

const run = promisify(execFile);

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

describe('the built migrate command', () => {
  let database: Config['database'];
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase('template1');
    dataSource = await createDataSource(database, MIGRATION_OPTIONS).initialize();
  });
  afterEach(() => dataSource.destroy());

  /** With only the database settings. */
  const migrate = async (args: string[] = [], more: Record<string, string> = {}) => {
    const env = {
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_USERNAME: database.username,
      DB_PASSWORD: database.password,
      DB_NAME: database.name,
      ...more,
    };
    const command = path.join(process.env.TEST_BUILD ?? '', 'commands/migrate.js');
    try {
      return { code: 0, ...(await run(process.execPath, [command, ...args], { env })) };
    } catch (error) {
      return error as Outcome;
    }
  };
  const label = () => `database ${database.name} on ${database.host}:${database.port}`;
  const isMigrated = async () => !(await dataSource.showMigrations());
  const waiting = async () => {
    const rows = await dataSource.query<unknown[]>(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
    );
    return rows.length;
  };

  describe('when migrations are pending', () => {
    it('runs them once and names the database', async () => {
      const first = await migrate();
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(first.stdout).toMatch(`${migrations.length} migrations run in ${label()}\n`);
      expect(await isMigrated()).toBe(true);
      expect((await migrate(['run'])).stdout).toBe(`0 migrations run in ${label()}\n`);
    });

    it('runs with a pool of one connection', async () => {
      expect(await migrate([], { DB_POOL_SIZE: '1' })).toMatchObject({ code: 0 });
      expect(await isMigrated()).toBe(true);
    });

    it('waits for another process that changes the schema', async () => {
      const command = await withMigrationLock(dataSource, async () => {
        const started = migrate();
        await until(async () => (await waiting()) === 1, 'the lock');
        expect(await isMigrated()).toBe(false);
        return { started };
      });
      expect(await command.started).toMatchObject({ code: 0 });
      expect(await isMigrated()).toBe(true);
    });
  });

  describe('when it reverts', () => {
    it('reverts one migration after the other, under the lock', async () => {
      await migrate();
      const command = await withMigrationLock(dataSource, async () => {
        const started = migrate(['revert']);
        await until(async () => (await waiting()) === 1, 'the lock');
        return { started };
      });
      const names = migrations.map(({ name }) => name).toReversed();
      expect((await command.started).stdout).toBe(`reverted ${names[0] ?? ''} in ${label()}\n`);
      for (const name of names.slice(1))
        expect((await migrate(['revert'])).stdout).toBe(`reverted ${name} in ${label()}\n`);
      expect((await migrate(['revert'])).stdout).toBe(`nothing to revert in ${label()}\n`);
    });
  });

  describe('when it changes how sessions are stored', () => {
    const said = async (args: string[]) => (await migrate(args)).stdout;

    it('says what it did, in both directions', async () => {
      await migrate();
      const moved = '0 sessions moved to';
      expect(await said(['partition'])).toBe(`${moved} 8 partitions in ${label()}\n`);
      expect(await said(['partition'])).toBe(`sessions are in partitions already in ${label()}\n`);
      expect(await said(['unpartition'])).toBe(`${moved} one table in ${label()}\n`);
      expect(await said(['unpartition'])).toBe(`sessions are in one table already in ${label()}\n`);
      const four = ['partition', '--partitions', '4'];
      expect(await said(four)).toBe(`${moved} 4 partitions in ${label()}\n`);
    });
  });

  describe('when the encoding of the database is not UTF8', () => {
    it('runs nothing and says what to do', async () => {
      const name = `latin1_${database.name}`;
      await dataSource.query(
        `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`,
      );
      const { code, stderr } = await migrate(['run'], { DB_NAME: name });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^the database has the encoding LATIN1: create it with .*'UTF8'"\n$/);
    });
  });

  describe('when something is wrong', () => {
    it.each([
      ['an unknown action', ['sideways'], {}, /^usage: /],
      ['an unknown option', ['partition', '--parts=4'], {}, /^usage: /],
      ['one partition', ['partition', '--partitions', '1'], {}, /^--partitions must be a number/],
      ['partitions without need', ['run', '--partitions', '4'], {}, /^usage: /],
      ['no tables', ['partition'], {}, /lacks a table: run npm run migration:run/],
      ['a missing setting', [], { DB_HOST: '' }, /^DB_HOST is missing/],
      ['no server there', [], { DB_PORT: '1' }, /^cannot reach PostgreSQL at .*ECONNREFUSED/],
      ['a wrong password', [], { DB_PASSWORD: 'wr0ng-secret' }, /does not accept/],
      ['no such database', [], { DB_NAME: 'nowhere' }, /^there is no database nowhere .*db:create/],
    ])('prints one line without a secret: %s', async (_what, args, more, message) => {
      const { code, stdout, stderr } = await migrate(args, more);
      expect(code).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^[^\n]+\n$/);
      expect(stderr).not.toContain('wr0ng-secret');
      expect(stderr).not.toContain(database.password);
    });
  });
});
