import { chownSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../../src/config';
import { createDataSource, MIGRATION_OPTIONS } from '../../src/config/data-source';
import { Program } from '../harness/Program';
import { query } from '../harness/query';
import { startPgBouncer } from '../harness/startPgBouncer';
import { tempFolder } from '../harness/tempFolder';
import { until } from '../harness/until';
import { roleSettings } from './pooled';

/** In a separate process: Jest cannot import the ES modules that start PostgreSQL. */
const PROGRAM = `
  const { startPostgres } = require('./tests/harness/startPostgres');
  startPostgres({ dataDir: process.argv[1] }).then((server) => {
    console.log(JSON.stringify(server));
    process.stdin.resume();
    process.stdin.on('end', () => server.stop().then(() => process.exit()));
  });
`;

const ROLE = 'service';

interface Server {
  host: string;
  port: number;
  username: string;
  password: string;
  pid: number;
}

/** A PostgreSQL for one spec, which may do anything to it; its port stays the same. */
export class OwnPostgres {
  private holder: Program | undefined;
  private server: Server | undefined;
  private frozen: number[] = [];
  private pooler: Awaited<ReturnType<typeof startPgBouncer>> | undefined;

  private constructor(private readonly dataDir: string) {}

  /** With a migrated database whose role is not a superuser. */
  static async start(): Promise<OwnPostgres> {
    const own = new OwnPostgres(path.join(tempFolder('own-postgres'), 'data'));
    await own.start();
    await own.run(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${own.running.password}'`);
    await own.run(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
    const dataSource = createDataSource(own.database, MIGRATION_OPTIONS);
    await dataSource.initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
    await own.startPooler();
    return own;
  }

  /** For the service: through the pooler, if there is one. */
  get database(): Config['database'] {
    const { host, port, password } = this.running;
    const direct = { host, port, username: ROLE, password, name: ROLE, poolSize: 10 };
    return this.pooler ? { ...direct, port: this.pooler.port, pooler: 'transaction' } : direct;
  }

  private async startPooler(): Promise<void> {
    const program = process.env.TEST_POOLER;
    if (program === undefined) return;
    for (const statement of roleSettings(ROLE)) await this.run(statement);
    const { password } = this.running;
    this.pooler = await startPgBouncer(program, this.running, { username: ROLE, password });
  }

  private get running(): Server {
    if (!this.server) throw new Error('PostgreSQL was never started');
    return this.server;
  }

  async start(): Promise<void> {
    this.holder = new Program(process.execPath, ['--eval', PROGRAM, this.dataDir]);
    const [line] = await this.holder.printed(/^\{.*\}$/m);
    this.server = JSON.parse(line) as Server;
  }

  /** A clean shutdown that does not wait for clients. */
  async stop(): Promise<void> {
    this.holder?.child.stdin?.end();
    await this.holder?.exited;
    this.holder = undefined;
  }

  /** kill -9: its backends end with it. */
  async kill(): Promise<void> {
    process.kill(this.running.pid, 'SIGKILL');
    await this.stop();
  }

  /** Freezes the postmaster and its backends, with open connections. */
  async freeze(): Promise<void> {
    const { pid } = this.running;
    const rows = await this.run('SELECT pid FROM pg_stat_activity ORDER BY pid');
    this.frozen = [pid, ...rows.map((row) => Number(row.pid))];
    for (const one of this.frozen) signal(one, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.frozen) signal(pid, 'SIGCONT');
    this.frozen = [];
  }

  /** Runs a statement as superuser, on a separate connection. */
  run(sql: string, name = 'postgres'): Promise<Record<string, unknown>[]> {
    return query({ ...this.running, name }, sql);
  }

  /** Puts a file into its folder, as its own. */
  write(name: string, content: string): void {
    const file = path.join(this.dataDir, name);
    writeFileSync(file, content, { mode: 0o600 });
    const { uid, gid } = statSync(this.dataDir);
    chownSync(file, uid, gid);
  }

  /** Changes settings that need no restart, and has it read all its files again. */
  async configure(settings: Record<string, string>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.run(`ALTER SYSTEM SET ${name} = '${value}'`);
    const loadedAt = async () => {
      const [row] = await this.run('SELECT pg_conf_load_time()::text AS time');
      return row?.time;
    };
    const before = await loadedAt();
    await this.run('SELECT pg_reload_conf()');
    await until(async () => (await loadedAt()) !== before, 'the new settings');
  }

  /** Who may connect apart from the superuser, as in pg_hba.conf. */
  admit(rule: string): void {
    this.write(
      'pg_hba.conf',
      `host all ${this.running.username} 127.0.0.1/32 scram-sha-256\n${rule}\n`,
    );
  }

  /** Ends all of the service's connections. */
  async disconnect(): Promise<void> {
    await this.run(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '${ROLE}'`,
    );
  }

  /** For good. */
  async remove(): Promise<void> {
    this.thaw();
    await this.pooler?.stop();
    await this.stop();
  }
}

/** A backend may have ended by itself. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
