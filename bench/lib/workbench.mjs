import { generateKeyPairSync, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import {
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from '../../scripts/embedded-postgres/startEmbeddedPostgres.mjs';
import { measure } from './load.mjs';
import { startModule, stop, stopAll } from './processes.mjs';

const GENERATOR = path.join(import.meta.dirname, 'generator.mjs');

/** What every measurement needs: a PostgreSQL, a pair of keys, a load generator, a folder. */
export class Workbench {
  /** Where keys, logs and data are until the end. */
  folder;
  secret = randomBytes(48).toString('base64url');
  /** @type {import('../../scripts/embedded-postgres/startEmbeddedPostgres.mjs').EmbeddedPostgres} */
  #postgres;
  #generator;
  #databases = 0;
  #logs = 0;

  async open() {
    // Under the folder the database's own user must be able to reach its data.
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-bench-'));
    fs.chmodSync(this.folder, 0o755);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    fs.writeFileSync(path.join(this.folder, 'private.pem'), privateKey, { mode: 0o600 });
    fs.writeFileSync(path.join(this.folder, 'public.pem'), publicKey);
    this.#postgres = await startEmbeddedPostgres({ dataDir: path.join(this.folder, 'postgres') });
    this.#generator = this.startGenerator();
    return this;
  }

  get databasePid() {
    return this.#postgres.pid;
  }

  /** A new, empty database. */
  async createDatabase() {
    const { host, port, username, password, database } = this.#postgres;
    const connection = (name) => ({ host, port, user: username, password, database: name });
    const name = `bench_${(this.#databases += 1)}`;
    const client = new pg.Client(connection(database));
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return connection(name);
  }

  async postgresVersion() {
    const client = new pg.Client(await this.createDatabase());
    await client.connect();
    const { rows } = await client.query('SHOW server_version');
    await client.end();
    return rows[0].server_version.split(' ')[0];
  }

  logFile(name) {
    return path.join(this.folder, `${(this.#logs += 1)}-${name}.log`);
  }

  /** A load generator besides the first, for two loads at once. */
  startGenerator() {
    return startModule({ program: GENERATOR, logFile: this.logFile('generator') });
  }

  /**
   * @param {import('./contestants.mjs').Contestant} contestant as started
   * @param {import('./load.mjs').Job} job
   * @param {import('node:child_process').ChildProcess} [generator]
   */
  measure({ child, origin, isWorker }, job, generator = this.#generator) {
    return measure({
      job: { origin, ...job },
      worker: isWorker ? child : generator,
      serverPid: child.pid,
      databasePid: this.databasePid,
    });
  }

  async close() {
    await stopAll();
    await this.#postgres?.stop();
    for (const folder of [this.#postgres?.dataDir, this.folder])
      if (folder) fs.rmSync(folder, { recursive: true, force: true });
  }
}

export { stop };

/**
 * Runs a command of the suite on a workbench, which is cleared whatever happens.
 * @param {(bench: Workbench) => Promise<boolean | void>} command false: the target was missed
 */
export async function onWorkbench(command) {
  const bench = new Workbench();
  let closing;
  const close = () => (closing ??= bench.close());
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void close().finally(() => process.exit(130)));
  try {
    if ((await command(await bench.open())) === false) process.exitCode = 1;
  } catch (error) {
    // After a Ctrl-C everything fails, and that is no news.
    if (closing) return;
    const known = error instanceof EmbeddedPostgresError;
    process.stderr.write(`${known ? error.message : error.stack}\n`);
    process.exitCode = 1;
  } finally {
    await close();
  }
}
