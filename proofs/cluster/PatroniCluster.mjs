import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serverUser } from '../../scripts/embedded-postgres/serverUser.mjs';
import { freePort } from '../../tests/harness/freePort.js';
import { Program } from '../../tests/harness/Program.js';
import { query } from '../../tests/harness/query.js';
import { ROOT } from '../../tests/harness/root.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';
import { until } from '../../tests/harness/until.js';
import { PatroniNode } from './PatroniNode.mjs';
import { startEtcd } from './startEtcd.mjs';
import { startHaproxy } from './startHaproxy.mjs';

/** Debian's and Ubuntu's folder: the package from npm lacks pg_basebackup and pg_rewind. */
const SYSTEM = '/usr/lib/postgresql';

/** In milliseconds: between two looks at the nodes, and how long a change may take. */
const LOOK = 50;
const PATIENCE = 90_000;

const SETTLED = `
  SELECT count(*) = 2 AND count(*) FILTER (WHERE sync_state = 'sync') = 1 AS settled
  FROM pg_stat_replication WHERE state = 'streaming'`;

/** Three nodes of PostgreSQL under Patroni, etcd, and HAProxy in front, all on loopback. */
export class PatroniCluster {
  /**
   * @param {PatroniNode[]} nodes
   * @param {Awaited<ReturnType<typeof startEtcd>>} etcd
   * @param {Awaited<ReturnType<typeof startHaproxy>>} haproxy
   */
  constructor(nodes, etcd, haproxy) {
    this.nodes = nodes;
    this.etcd = etcd;
    this.haproxy = haproxy;
  }

  static async start() {
    const etcd = await startEtcd();
    const folder = tempFolder('patroni');
    const user = serverUser(path.join(folder, 'none'));
    const password = randomBytes(12).toString('hex');
    const versions = fs.readdirSync(SYSTEM).map(Number);
    const binDir = path.join(SYSTEM, String(Math.max(...versions)), 'bin');
    const nodes = [];
    for (const name of ['node1', 'node2', 'node3']) {
      const own = path.join(folder, name);
      fs.mkdirSync(own);
      if (user) fs.chownSync(own, user.uid, user.gid);
      const ports = { postgres: await freePort(), patroni: await freePort() };
      nodes.push(
        new PatroniNode({ name, folder: own, ports, user, binDir, etcd: etcd.env, password }),
      );
    }
    const variables = nodes.flatMap(({ name, ports }) => [
      [name.toUpperCase(), `127.0.0.1:${ports.postgres}`],
      [`${name.toUpperCase()}_PATRONI_PORT`, String(ports.patroni)],
    ]);
    const haproxy = await startHaproxy(
      ...['postgresql.cfg', 'POSTGRES_BIND'],
      Object.fromEntries(variables),
    );
    const cluster = new PatroniCluster(nodes, etcd, haproxy);
    for (const node of nodes) node.start();
    await cluster.settled();
    return cluster;
  }

  /** The database `name` of a role that is no superuser, through HAProxy. */
  async createDatabase(name = 'service') {
    const primary = await this.primary();
    const { password } = primary.database;
    await query(primary.database, `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`);
    await query(primary.database, `CREATE DATABASE ${name} OWNER ${name}`);
    return { host: '127.0.0.1', port: this.haproxy.port, username: name, password, name };
  }

  /**
   * The node that takes writes, as soon as there is one.
   *
   * @param {PatroniNode} [former] does not count
   */
  async primary(former) {
    const deadline = Date.now() + PATIENCE;
    let isFound = false;
    // Each by itself: a node that responds late must not delay the others.
    const looks = this.nodes
      .filter((node) => node !== former)
      .map(async (node) => {
        while (!isFound && Date.now() < deadline) {
          if (await node.isPrimary()) {
            isFound = true;
            return node;
          }
          await sleep(LOOK);
        }
        throw new Error('no node takes writes');
      });
    return Promise.any(looks);
  }

  /** Resolves when there is a primary that both others follow, one of them synchronously. */
  async settled() {
    const isSettled = async () => {
      const [node] = await Promise.all([this.primary(), sleep(LOOK)]);
      const [row] = await node.query(SETTLED);
      const roles = await Promise.all(this.nodes.map((other) => other.is('/sync')));
      return row?.settled === true && roles.includes(true);
    };
    await until(isSettled, 'three nodes', PATIENCE).catch((error) => {
      const ends = this.nodes.map(({ log }) => fs.readFileSync(log, 'utf8').slice(-2_000));
      throw new Error(`${error.message}\n${ends.join('\n\n')}`, { cause: error });
    });
  }

  /** @param {Record<string, unknown>} settings of all nodes */
  async configure(settings) {
    const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    await this.#patronictl('edit-config', '--force', ...set);
  }

  async switchover() {
    await this.#patronictl('switchover', '--force');
  }

  /** @param {string[]} args */
  async #patronictl(...args) {
    const config = path.join(ROOT, 'deploy/patroni/patroni.yml');
    const program = new Program('patronictl', ['-c', config, ...args], { env: this.etcd.env });
    if ((await program.exited) !== 0) throw new Error(`patronictl ${args}: ${program.output}`);
  }
}
