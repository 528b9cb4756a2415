import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import type { Config } from '../../src/config';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';

const MODULE = path.resolve(__dirname, '../../scripts/embedded-postgres.mjs');
/** Starts a server, says where, and stops it when standard input ends. */
const PROGRAM = `
  import { startEmbeddedPostgres } from ${JSON.stringify(pathToFileURL(MODULE).href)};
  const server = await startEmbeddedPostgres({ dataDir: process.argv[1] });
  console.log(JSON.stringify(server));
  process.stdin.resume();
  process.stdin.on('end', () => server.stop().then(() => process.exit(0)));
`;

const ROLE = 'service';

interface Server {
  host: string;
  port: number;
  username: string;
  password: string;
  pid: number;
}

/** A PostgreSQL that a spec has to itself, and may do anything to; its port stays the same. */
export class OwnPostgres {
  private holder: ChildProcess | undefined;
  private server: Server | undefined;
  private frozen: number[] = [];

  private constructor(private readonly folder: string) {}

  /** With the migrated database of a role that is no superuser. */
  static async start(): Promise<OwnPostgres> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'auth-service-own-'));
    const own = new OwnPostgres(folder);
    await own.start();
    await own.run(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${own.running.password}'`);
    await own.run(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
    const dataSource = createDataSource(own.database, MIGRATION_OPTIONS);
    await dataSource.initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
    return own;
  }

  get database(): Config['database'] {
    const { host, port, password } = this.running;
    return { host, port, username: ROLE, password, name: ROLE, poolSize: 10 };
  }

  private get running(): Server {
    if (!this.server) throw new Error('PostgreSQL was never started');
    return this.server;
  }

  /** Starts it on its folder. */
  async start(): Promise<void> {
    const args = ['--input-type=module', '--eval', PROGRAM, path.join(this.folder, 'data')];
    const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = (await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => Promise.reject(new Error('PostgreSQL did not start'))),
    ])) as [Buffer];
    this.holder = holder;
    this.server = JSON.parse(line.toString()) as Server;
  }

  /** A clean shutdown that waits for no client. */
  async stop(): Promise<void> {
    const { holder } = this;
    this.holder = undefined;
    if (!holder) return;
    const exited = once(holder, 'exit');
    holder.stdin?.end();
    await exited;
  }

  /** kill -9: its backends end with it. */
  async kill(): Promise<void> {
    process.kill(this.running.pid, 'SIGKILL');
    await this.stop();
  }

  /** Stops the postmaster and its backends where they are, with their connections open. */
  async freeze(): Promise<void> {
    const { pid } = this.running;
    const { rows } = await this.run('SELECT pid FROM pg_stat_activity ORDER BY pid');
    this.frozen = [pid, ...rows.map((row) => Number(row.pid))];
    for (const one of this.frozen) signal(one, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.frozen) signal(pid, 'SIGCONT');
    this.frozen = [];
  }

  /** Runs a statement as superuser, on a connection of its own. */
  async run(sql: string, database = 'postgres'): Promise<{ rows: Record<string, unknown>[] }> {
    const client = new Client({ ...this.running, user: this.running.username, database });
    await client.connect();
    try {
      return await client.query<Record<string, unknown>>(sql);
    } finally {
      await client.end();
    }
  }

  /** Ends all of the service's connections. */
  async disconnect(): Promise<void> {
    await this.run(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${ROLE}'`,
    );
  }

  /** For good. */
  async remove(): Promise<void> {
    this.thaw();
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A backend may have ended of itself. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
