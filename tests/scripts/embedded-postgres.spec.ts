import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { isUp } from '../harness/isUp';
import { Program } from '../harness/Program';
import { query } from '../harness/query';
import { ROOT } from '../harness/root';
import { tempFolder } from '../harness/tempFolder';
import { until } from '../harness/until';

interface Instance {
  host: string;
  port: number;
  username: string;
  password: string;
  adopted: boolean;
  pid: number;
}

const MODULE = pathToFileURL(
  path.join(ROOT, 'scripts', 'embedded-postgres', 'startEmbeddedPostgres.mjs'),
).href;
/** Starts a server, says where, and stops it when standard input ends. */
const PROGRAM = `
  import { startEmbeddedPostgres } from ${JSON.stringify(MODULE)};
  const options = JSON.parse(process.argv[1]);
  const server = await startEmbeddedPostgres({ fsync: false, log: console.error, ...options })
    .catch((error) => { console.error(error.message); process.exit(1); });
  console.log('READY ' + JSON.stringify(server));
  process.stdin.resume();
  process.stdin.on('end', () => server.stop().then(() => process.exit(0)));
`;

describe('startEmbeddedPostgres', () => {
  let dir: string;
  let dataDir: string;
  let holders: Program[];

  beforeEach(() => {
    dir = tempFolder('scripts');
    dataDir = path.join(dir, 'postgres');
    holders = [];
  });
  afterEach(async () => {
    for (const one of holders) {
      one.child.stdin?.end();
      await one.exited;
    }
  });

  function hold(options: object = {}): Program {
    const args = ['--input-type=module', '-e', PROGRAM, JSON.stringify({ dataDir, ...options })];
    const one = new Program(process.execPath, args);
    holders.push(one);
    return one;
  }
  async function ready(one: Program): Promise<Instance> {
    const [, json = ''] = await one.printed(/READY (.*)\n/);
    return JSON.parse(json) as Instance;
  }
  async function stop(one: Program): Promise<void> {
    one.child.stdin?.end();
    expect(await one.exited).toBe(0);
  }

  describe('when it is started, stopped and started again', () => {
    it('keeps the data and the port, and leaves no process behind', async () => {
      const first = hold();
      const before = await ready(first);
      expect(before).toMatchObject({ host: '127.0.0.1', adopted: false });
      await query(before, 'CREATE TABLE kept AS SELECT 42 AS answer');
      await stop(first);
      expect(isUp(before.pid)).toBe(false);

      const after = await ready(hold());
      expect(after.pid).not.toBe(before.pid);
      expect(after).toMatchObject({ port: before.port, password: before.password });
      expect(await query(after, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    });

    it('listens on the loopback address alone, without a socket, and wants the password', async () => {
      const instance = await ready(hold());
      const [row] = await query(
        instance,
        `SELECT current_setting('listen_addresses') AS addresses,
                current_setting('unix_socket_directories') AS sockets,
                current_setting('server_encoding') AS encoding`,
      );
      expect(row).toEqual({ addresses: '127.0.0.1', sockets: '', encoding: 'UTF8' });
      await expect(query({ ...instance, password: 'guess' }, 'SELECT 1')).rejects.toMatchObject({
        code: '28P01',
      });
      expect(statSync(path.join(dataDir, 'superuser-password')).mode & 0o777).toBe(0o600);
    });
  });

  describe('when a second process asks for the same folder', () => {
    it('adopts the instance, and leaves it up when it ends', async () => {
      const owner = await ready(hold());
      const guest = hold();
      expect(await ready(guest)).toMatchObject({
        adopted: true,
        pid: owner.pid,
        port: owner.port,
        password: owner.password,
      });
      await stop(guest);
      expect(await query(owner, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });

    it('lets one of two that start at once own it, and the other adopt it', async () => {
      const both = await Promise.all([hold(), hold()].map(ready));
      expect(both.map((one) => one.adopted).sort()).toEqual([false, true]);
      expect(both[0]?.pid).toBe(both[1]?.pid);
      expect(readdirSync(dir)).toEqual(['postgres']);
    });
  });

  describe('when the node process is killed', () => {
    it('ends the server in good order', async () => {
      const one = hold();
      const instance = await ready(one);
      await query(instance, 'CREATE TABLE kept AS SELECT 42 AS answer');
      process.kill(one.pid, 'SIGKILL');
      await until(() => !isUp(instance.pid), 'the server is gone', 10_000);
      await until(() => !existsSync(path.join(dataDir, 'postmaster.pid')), 'its lock is gone');

      const again = await ready(hold());
      expect(again.adopted).toBe(false);
      expect(await query(again, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    });
  });

  describe('when the server is killed', () => {
    it('starts again at once, with the data that were committed', async () => {
      const one = hold({ fsync: true });
      const instance = await ready(one);
      await query(instance, 'CREATE TABLE kept AS SELECT 42 AS answer');
      process.kill(instance.pid, 'SIGKILL');
      const again = await ready(hold());
      expect(again.adopted).toBe(false);
      expect(await query(again, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    });
  });

  describe('when the pid of a killed server belongs to another process', () => {
    it('starts', async () => {
      const one = hold();
      const before = await ready(one);
      await stop(one);
      const stale = [process.pid, dataDir, 0, before.port, '', '127.0.0.1', '', 'ready'];
      writeFileSync(path.join(dataDir, 'postmaster.pid'), `${stale.join('\n')}\n`);
      expect((await ready(hold())).adopted).toBe(false);
    });
  });

  describe('when the folder is not complete', () => {
    it('touches nothing that it did not make', async () => {
      mkdirSync(dataDir);
      writeFileSync(path.join(dataDir, 'PG_VERSION'), '18\n');
      const one = hold();
      expect(await one.exited).toBe(1);
      expect(one.output).toMatch(/^[^\n]*holds files without its superuser-password[^\n]*\n$/);
      expect(readdirSync(dataDir)).toEqual(['PG_VERSION']);
    });

    it('names the version that made the data, if it is another one', async () => {
      const first = hold();
      await ready(first);
      await stop(first);
      writeFileSync(path.join(dataDir, 'PG_VERSION'), '9\n');

      const second = hold();
      expect(await second.exited).toBe(1);
      expect(second.output).toMatch(/^[^\n]*was made by PostgreSQL 9, [^\n]*PG_BIN_DIR[^\n]*\n$/);
    });

    it('removes what an interrupted start left beside it', async () => {
      const left = path.join(dir, 'postgres.init-0123456789ab');
      mkdirSync(left);
      utimesSync(left, 0, 0);
      await ready(hold());
      expect(readdirSync(dir)).toEqual(['postgres']);
    });

    it('does not touch a finished cluster whose password is lost', async () => {
      const first = hold();
      await ready(first);
      await stop(first);
      rmSync(path.join(dataDir, 'superuser-password'));
      const inventory = readdirSync(dataDir).sort();

      const second = hold();
      expect(await second.exited).toBe(1);
      expect(second.output).toMatch(/^[^\n]*without its superuser-password file[^\n]*\n$/);
      expect(readdirSync(dataDir).sort()).toEqual(inventory);
    });
  });

  describe('when the wanted port is taken', () => {
    it('says so in one line', async () => {
      const { port } = await ready(hold());
      const other = hold({ dataDir: path.join(dir, 'other'), port });
      expect(await other.exited).toBe(1);
      expect(other.output).toContain(`port ${port} on 127.0.0.1 is taken\n`);
    });
  });
});
