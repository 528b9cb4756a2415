import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ScriptError } from '../../scripts/ScriptError.mjs';
import { certsDir } from '../../tests/harness/certsDir.js';
import { createDatabase } from '../../tests/harness/createDatabase.js';
import { Program } from '../../tests/harness/Program.js';
import { query } from '../../tests/harness/query.js';
import { startPostgres } from '../../tests/harness/startPostgres.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';
import { measure } from './load.mjs';

/** What every measurement needs: a PostgreSQL, a key pair, a load generator, a folder for logs. */
export class Workbench {
  certs = certsDir();
  secret = randomBytes(48).toString('base64url');
  #logs = tempFolder('logs');
  #logCount = 0;
  /** @type {Set<Program>} */
  #programs = new Set();
  /** @type {Awaited<ReturnType<typeof startPostgres>>} */
  #postgres;
  #generator;

  /** @param {Awaited<ReturnType<typeof startPostgres>>} postgres */
  constructor(postgres) {
    this.#postgres = postgres;
    this.#generator = this.startGenerator();
  }

  get databasePid() {
    return this.#postgres.pid;
  }

  /** A new, empty database. */
  createDatabase() {
    return createDatabase(this.#postgres);
  }

  /**
   * A copy of a database that nobody is connected to.
   *
   * @template {import('../../tests/harness/query.js').Database} Database
   * @param {Database} database
   */
  async copyDatabase(database) {
    const name = `${database.name}_copy`;
    // By default each page also goes through the log.
    await query(
      this.#postgres,
      `CREATE DATABASE ${name} TEMPLATE ${database.name} STRATEGY FILE_COPY`,
    );
    return { ...database, name };
  }

  /** No checkpoint interrupts what writes gigabytes. */
  async useLargeLog() {
    await query(this.#postgres, `ALTER SYSTEM SET max_wal_size = '16GB'`);
    await query(this.#postgres, 'SELECT pg_reload_conf()');
  }

  async postgresVersion() {
    const [row] = await query(this.#postgres, 'SHOW server_version');
    return String(row?.server_version).split(' ', 1).join('');
  }

  /** @param {string} name */
  logFile(name) {
    this.#logCount += 1;
    return path.join(this.#logs, `${this.#logCount}-${name}.log`);
  }

  /**
   * Starts a Node module that ends with this process, and exchanges messages with it.
   *
   * @param {string} module relative to the folder of this suite
   * @param {NodeJS.ProcessEnv} [env]
   */
  startModule(module, env = {}) {
    const file = path.join(import.meta.dirname, '..', module);
    const logFile = this.logFile(path.basename(module, '.mjs'));
    return this.keep(new Program(process.execPath, [file], { env, logFile, ipc: true }));
  }

  /**
   * Stops a program at the end if it still runs.
   *
   * @param {Program} program
   */
  keep(program) {
    this.#programs.add(program);
    return program;
  }

  /** A load generator beside the first, for two loads at the same time. */
  startGenerator() {
    return this.startModule('lib/generator.mjs');
  }

  /**
   * @param {import('./contestants.mjs').Running} contestant as started
   * @param {import('./load.mjs').Job} job
   * @param {Program} [generator]
   */
  measure({ program, origin, isWorker }, job, generator = this.#generator) {
    return measure({
      job: { ...job, ...(origin !== undefined && { origin }) },
      worker: (isWorker ? program : generator).child,
      serverPid: program.pid,
      databasePid: this.databasePid,
    });
  }

  async close() {
    await Promise.all([...this.#programs].map((program) => program.stop()));
    await this.#postgres.stop();
  }
}

/**
 * Runs a command of the suite on a workbench.
 *
 * @param {(bench: Workbench) => Promise<boolean | void>} command false: a target was missed
 */
export async function onWorkbench(command) {
  try {
    const bench = new Workbench(await startPostgres());
    try {
      if ((await command(bench)) === false) process.exitCode = 1;
    } finally {
      await bench.close();
    }
  } catch (error) {
    const known = error instanceof ScriptError;
    process.stderr.write(`${known ? error.message : error instanceof Error && error.stack}\n`);
    process.exitCode = 1;
  }
}
