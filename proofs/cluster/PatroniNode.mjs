import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { onExit } from 'signal-exit';
import { familyOf } from '../../tests/harness/familyOf.js';
import { Program } from '../../tests/harness/Program.js';
import { ROOT } from '../../tests/harness/root.js';

/** In milliseconds: what a frozen server may take of a look at it. */
const LOOK_LIMIT = 2_000;

const CONFIG = path.join(ROOT, 'deploy/patroni/patroni.yml');

/** A node of PostgreSQL under Patroni. */
export class PatroniNode {
  /** @type {Program | undefined} */
  #patroni;
  /** @type {number[]} */
  #frozen = [];

  /**
   * @param {object} options
   * @param {string} options.name
   * @param {string} options.folder
   * @param {{ postgres: number, patroni: number }} options.ports
   * @param {{ uid: number, gid: number } | undefined} options.user
   * @param {string} options.binDir PostgreSQL's programs
   * @param {Record<string, string>} options.etcd variables that lead to it
   * @param {string} options.password
   */
  constructor({ name, folder, ports, user, binDir, etcd, password }) {
    this.name = name;
    this.ports = ports;
    this.database = {
      ...{ host: '127.0.0.1', port: ports.postgres, username: 'postgres', password },
    };
    this.dataDir = path.join(folder, 'data');
    this.log = path.join(folder, 'patroni.log');
    this.user = user;
    this.env = {
      HOME: folder,
      PATRONI_NAME: name,
      PATRONI_RESTAPI_LISTEN: `127.0.0.1:${ports.patroni}`,
      PATRONI_RESTAPI_CONNECT_ADDRESS: `127.0.0.1:${ports.patroni}`,
      PATRONI_POSTGRESQL_LISTEN: `127.0.0.1:${ports.postgres}`,
      PATRONI_POSTGRESQL_CONNECT_ADDRESS: `127.0.0.1:${ports.postgres}`,
      PATRONI_POSTGRESQL_DATA_DIR: this.dataDir,
      PATRONI_POSTGRESQL_BIN_DIR: binDir,
      PATRONI_POSTGRESQL_PGPASS: path.join(folder, 'pgpass'),
      ...etcd,
      PATRONI_SUPERUSER_USERNAME: 'postgres',
      PATRONI_SUPERUSER_PASSWORD: password,
      PATRONI_REPLICATION_USERNAME: 'replicator',
      PATRONI_REPLICATION_PASSWORD: password,
    };
    // PostgreSQL outlives the Patroni that has started it.
    onExit(() => this.kill());
  }

  start() {
    this.#patroni = new Program('patroni', [CONFIG], {
      env: this.env,
      logFile: this.log,
      ...(this.user && { user: this.user }),
    });
  }

  /**
   * Runs a statement on this node; fails soon when the node is frozen.
   *
   * @param {string} sql
   * @returns {Promise<Record<string, unknown>[]>}
   */
  async query(sql) {
    const { username: user, ...database } = this.database;
    const limits = { connectionTimeoutMillis: LOOK_LIMIT, query_timeout: LOOK_LIMIT };
    const client = new Client({ ...database, ...limits, user, database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(sql)).rows;
    } finally {
      void client.end();
    }
  }

  /** Whether it takes writes. */
  async isPrimary() {
    try {
      const [row] = await this.query('SELECT pg_is_in_recovery() AS standby');
      return row?.standby === false;
    } catch {
      return false;
    }
  }

  /**
   * Whether Patroni responds with 200.
   *
   * @param {string} role a route, such as /sync
   */
  async is(role) {
    const url = `http://127.0.0.1:${this.ports.patroni}${role}`;
    try {
      return (await fetch(url, { signal: AbortSignal.timeout(LOOK_LIMIT) })).ok;
    } catch {
      return false;
    }
  }

  /** kill -9 of all processes, as when the machine fails. */
  kill() {
    this.#signal('SIGKILL', [this.#patroni?.pid, this.#postmaster]);
  }

  /** kill -9 of PostgreSQL alone. */
  killPostgres() {
    this.#signal('SIGKILL', [this.#postmaster]);
  }

  /** Stops all processes where they are, with their connections open. */
  freeze() {
    const parents = [this.#patroni?.pid, this.#postmaster];
    // Parents first: they make no children afterwards.
    this.#signal('SIGSTOP', parents);
    this.#frozen = this.#signal('SIGSTOP', parents);
  }

  thaw() {
    this.#signal('SIGCONT', this.#frozen);
    this.#frozen = [];
  }

  get #postmaster() {
    try {
      return Number.parseInt(fs.readFileSync(path.join(this.dataDir, 'postmaster.pid'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  /**
   * @param {NodeJS.Signals} signal
   * @param {(number | undefined)[]} parents
   */
  #signal(signal, parents) {
    const pids = parents.flatMap((pid) => (pid === undefined ? [] : familyOf(pid)));
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has just ended.
      }
    }
    return pids;
  }
}
