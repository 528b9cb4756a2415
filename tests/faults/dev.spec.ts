import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { freePort } from '../harness/freePort';
import { isUp } from '../harness/isUp';
import { Program } from '../harness/Program';
import { query } from '../harness/query';
import { ROOT } from '../harness/root';
import { until } from '../harness/until';
import { copyOfTree, postmaster, processesWith } from '../scripts/processes';

/** A start compiles the service, which takes long while the cores are busy. */
const LIMIT = 120_000;
jest.setTimeout(3 * LIMIT);

describe('npm run dev', () => {
  let tree: string;
  let dataDir: string;
  let port: number;
  let started: Program[];

  beforeEach(async () => {
    tree = copyOfTree();
    dataDir = path.join(tree, 'data');
    port = await freePort();
    started = [];
  });
  afterEach(async () => {
    for (const one of started) if (one.isUp) one.child.kill('SIGTERM');
    await until(() => left().length === 0, 'nothing is left', LIMIT);
  });

  const left = (): number[] => processesWith(`AUTH_DATA_DIR=${dataDir}`);

  const start = (command: string, args: string[], more: Record<string, string> = {}): Program => {
    const env = { PORT: String(port), AUTH_DATA_DIR: dataDir, ...more };
    const one = new Program(command, args, { env, cwd: tree, group: true });
    started.push(one);
    return one;
  };
  const dev = (more?: Record<string, string>): Program =>
    start(process.execPath, ['scripts/dev.mjs'], more);
  const live = (one: Program): Promise<void> => {
    const line = new RegExp(`listens on http://localhost:${port} [^]*try: `);
    return one.until(() => line.test(one.output), 'the service listens', LIMIT);
  };
  const post = (route: string, body: object): Promise<Response> =>
    fetch(`http://localhost:${port}/auth/${route}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  const ada = { email: 'ada@example.com', password: 'correct horse' };
  const register = (): Promise<Response> =>
    post('register', { ...ada, firstName: 'Ada', lastName: 'Lovelace' });

  describe('when the tree is fresh', () => {
    it('serves, reloads under the same database, refuses a second one, and ends at SIGTERM', async () => {
      const one = dev();
      await live(one);
      expect((await register()).status).toBe(201);
      expect(readdirSync(path.join(tree, 'certs')).sort()).toEqual(['private.pem', 'public.pem']);

      const second = dev();
      expect(await second.exited).toBe(1);
      expect(second.output).toBe(`npm run dev is already running in this tree (pid ${one.pid})\n`);

      const server = postmaster(path.join(dataDir, 'postgres'));
      const before = one.output.split('sys_startup').length;
      appendFileSync(path.join(tree, 'src', 'app.ts'), '\n');
      await until(() => one.output.split('sys_startup').length > before, 'a reload', LIMIT);
      expect((await post('login', ada)).status).toBe(200);
      expect(postmaster(path.join(dataDir, 'postgres'))).toBe(server);

      one.child.kill('SIGTERM');
      expect(await one.exited).toBe(0);
      expect(left()).toEqual([]);
      expect(isUp(server)).toBe(false);
      expect(one.output).toContain('sys_shutdown');
    });
  });

  describe('when it is killed', () => {
    it('leaves no process, no stale lock and no broken data', async () => {
      const one = dev();
      await live(one);
      await register();
      const server = postmaster(path.join(dataDir, 'postgres'));
      expect(left().length).toBeGreaterThan(3);
      one.child.kill('SIGKILL');
      await until(() => left().length === 0 && !isUp(server), 'nothing is left', LIMIT);

      const again = dev();
      await live(again);
      expect((await post('login', ada)).status).toBe(200);

      // Ctrl-C: the terminal tells the whole foreground group.
      process.kill(-again.pid, 'SIGINT');
      expect(await again.exited).toBe(0);
      expect(left()).toEqual([]);
    });
  });

  describe('when it is killed and started again at once', () => {
    it('waits for what is still ending, and serves', async () => {
      const one = dev({ DRAIN_TIMEOUT_SECONDS: '9' });
      await live(one);
      // A request in flight delays the end of the service, which keeps the port.
      const socket = net.connect(port).on('error', () => undefined);
      socket.write('POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{');
      await until(() => socket.bytesWritten > 0, 'a request');
      one.child.kill('SIGKILL');
      await one.exited;
      const again = dev();
      await live(again);
      socket.destroy();
      expect((await register()).status).toBe(201);
    });
  });

  describe('when PostgreSQL waits for a connection that hangs', () => {
    it('ends everything at SIGTERM', async () => {
      const one = dev();
      await live(one);
      await register();
      const folder = path.join(dataDir, 'postgres');
      const instance = {
        host: '127.0.0.1',
        port: Number(readFileSync(path.join(folder, 'postmaster.pid'), 'utf8').split('\n')[3]),
        username: 'postgres',
        password: readFileSync(path.join(folder, 'superuser-password'), 'utf8'),
      };
      const rows = await query(
        instance,
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'auth-service'",
      );
      expect(rows).not.toEqual([]);
      for (const { pid } of rows) process.kill(Number(pid), 'SIGSTOP');
      const server = postmaster(folder);
      one.child.kill('SIGTERM');
      expect(await one.exited).toBe(0);
      expect(isUp(server)).toBe(false);
      expect(left()).toEqual([]);
    });
  });

  describe('when the npm that runs it is killed', () => {
    it('leaves no process', async () => {
      const npm = start('npm', ['run', 'dev']);
      await live(npm);
      npm.child.kill('SIGKILL');
      await until(() => left().length === 0, 'nothing is left', LIMIT);
    });
  });

  describe('when PostgreSQL is killed', () => {
    it('brings it up again at the same port', async () => {
      const one = dev();
      await live(one);
      await register();
      process.kill(postmaster(path.join(dataDir, 'postgres')), 'SIGKILL');
      await one.printed(/PostgreSQL was gone and is up again/);
      await until(async () => (await post('login', ada)).status === 200, 'a login', LIMIT);
    });
  });

  describe('when the port is taken', () => {
    it('says so in one line before anything is started', async () => {
      const squatter = net.createServer().listen(port);
      try {
        const one = dev();
        expect(await one.exited).toBe(1);
        expect(one.output).toMatch(new RegExp(`^port ${port} is taken[^\\n]*\\n$`));
        expect(existsSync(path.join(dataDir, 'postgres'))).toBe(false);
        expect(existsSync(path.join(tree, 'certs'))).toBe(false);
      } finally {
        squatter.close();
      }
    });
  });

  describe('when the folder has a space and quotes in its name', () => {
    it('serves', async () => {
      const quoted = `${tree} it's "mine"`;
      renameSync(tree, quoted);
      tree = quoted;
      dataDir = path.join(tree, 'data');
      const modules = path.join(tree, 'node_modules');
      rmSync(modules);
      mkdirSync(modules);
      for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
        const from = path.join(ROOT, 'node_modules', name);
        // These two put their own path into the code that they write.
        if (['ts-node-dev', 'source-map-support'].includes(name)) {
          cpSync(from, path.join(modules, name), { recursive: true });
        } else symlinkSync(from, path.join(modules, name));
      }
      await live(dev());
      expect((await register()).status).toBe(201);
    });
  });
});
