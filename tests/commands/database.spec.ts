import path from 'node:path';
import { Client } from 'pg';
import { createDatabase } from '../../src/database/createDatabase';
import { dropDatabase } from '../../src/database/dropDatabase';
import { testServer } from '../support/testServer';
import { runNode } from '../harness/runNode';

// A name that needs quotes.
const NAME = `Scripts "Test" ${process.pid}`;

function settings(): Record<string, string> {
  const server = testServer();
  return {
    DB_HOST: server.host,
    DB_PORT: String(server.port),
    DB_USERNAME: server.username,
    DB_PASSWORD: server.password,
    DB_NAME: NAME,
  };
}

function client(database: string): Client {
  const one = new Client({ ...testServer(), user: testServer().username, database });
  one.on('error', () => undefined); // the drop cuts it
  return one;
}

async function isThere(): Promise<boolean> {
  const admin = client('postgres');
  await admin.connect();
  const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [NAME]);
  await admin.end();
  return rowCount === 1;
}

const label = (): string => `database ${NAME} on ${testServer().host}:${testServer().port}`;

const database = (args: string[], more: Record<string, string> = {}) =>
  runNode([path.join(process.env.TEST_BUILD ?? '', 'commands/database.js'), ...args], {
    NODE_ENV: 'dev',
    ...settings(),
    ...more,
  });

describe('the built database command', () => {
  afterEach(() => {
    database(['drop']);
  });

  describe('create', () => {
    it('creates the database, and the second time says that it exists', async () => {
      expect(database(['create'])).toMatchObject({
        code: 0,
        stdout: `${label()}: created\n`,
      });
      expect(await isThere()).toBe(true);
      expect(database(['create'])).toMatchObject({
        code: 0,
        stdout: `${label()}: already there\n`,
      });
    });
  });

  describe('when two commands run at once', () => {
    const database = () => ({ ...testServer(), name: NAME, poolSize: 1 });

    it('creates it once and drops it once', async () => {
      const created = await Promise.all([createDatabase(database()), createDatabase(database())]);
      expect(created.sort()).toEqual([false, true]);
      expect(await dropDatabase(database())).toBe(true);
      expect(await dropDatabase(database())).toBe(false);
    });
  });

  describe('from a checkout', () => {
    it('runs from the source, in dev without NODE_ENV', () => {
      const run = (action: string) =>
        runNode(['scripts/command.mjs', 'database', action], settings());
      expect(run('create')).toMatchObject({ code: 0, stdout: `${label()}: created\n` });
      expect(run('drop')).toMatchObject({ code: 0, stdout: `${label()}: dropped\n` });
    }, 60_000);
  });

  describe('drop', () => {
    it('drops the database despite an open connection, and then says that it does not exist', async () => {
      database(['create']);
      const guest = client(NAME);
      await guest.connect();
      expect(database(['drop'])).toMatchObject({ code: 0, stdout: `${label()}: dropped\n` });
      expect(await isThere()).toBe(false);
      expect(database(['drop'])).toMatchObject({
        code: 0,
        stdout: `${label()}: not there\n`,
      });
      await guest.end().catch(() => undefined);
    });

    it.each(['prod', 'production'])('refuses when NODE_ENV is %s, unless forced', async (name) => {
      database(['create']);
      const refused = database(['drop'], { NODE_ENV: name });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^refusing to drop[^\n]*--force[^\n]*\n$/);
      expect(await isThere()).toBe(true);
      expect(database(['drop', '--force'], { NODE_ENV: name }).code).toBe(0);
      expect(await isThere()).toBe(false);
    });

    it('refuses to drop a system database', () => {
      expect(database(['drop'], { DB_NAME: 'postgres' })).toMatchObject({
        code: 1,
        stderr: 'postgres belongs to the server: it is not dropped\n',
      });
    });
  });

  describe('when something is wrong', () => {
    it.each([
      ['an unknown action', ['destroy'], {}, /usage/],
      ['an unknown NODE_ENV', ['create'], { NODE_ENV: 'staging' }, /NODE_ENV must be/],
      ['no server there', ['create'], { DB_PORT: '1' }, /cannot reach .*ECONNREFUSED/],
      ['a wrong password', ['create'], { DB_PASSWORD: 'wr0ng-secret' }, /does not accept/],
      ['a name too long', ['create'], { DB_NAME: 'x'.repeat(64) }, /at most 63 bytes/],
      ['no host in prod', ['create'], { NODE_ENV: 'prod', DB_HOST: '' }, /^DB_HOST is missing/],
    ])('prints one line without a secret: %s', (_, args, more, message) => {
      const outcome = database(args, more);
      expect(outcome).toMatchObject({ code: 1, stdout: '' });
      expect(outcome.stderr).toMatch(message);
      expect(outcome.stderr).toMatch(/^[^\n]+\n$/);
      expect(outcome.stderr).not.toContain('wr0ng-secret');
      expect(outcome.stderr).not.toContain(testServer().password);
    });
  });
});
