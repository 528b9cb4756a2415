import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import type { DatabaseSettings } from '../config/databaseSettings';
import type { Metrics } from '../types/metrics';
import { isConflict, isConnectionSpent, isReadOnly } from './databaseErrors';

/** A statement that each connection prepares once, under its name, unless a pooler is in between. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in one round trip and resolves to its rows. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** A connection of the pool, and how to give it back; `true` closes it. */
type Lease = [connection: PoolClient, release: (close?: boolean) => void];

/** In milliseconds. Above the server's own timeouts, which a server that hangs cannot enforce. */
const DEADLINE = 2_400;

/** After a conflict with another transaction; the pause is the longest one, in milliseconds. */
const RETRIES = 3;
const RETRY_PAUSE = 50;

/** PostgreSQL rolls back before it reports a conflict, so `work` can run again. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let retry = 1; retry <= RETRIES; retry += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error)) throw error;
      // Random, so that the two transactions do not meet again.
      await delay(Math.random() * RETRY_PAUSE);
    }
  }
  return work();
}

const close = (connection: ClientBase) => void (connection as PoolClient & { end(): void }).end();

const ignore = () => undefined;

/** TypeORM's entities and prepared statements on one pool, with one deadline and the same errors (ADR 0004). */
export class Database {
  /** When each connection was first used; those from before `renewedAt` are replaced. */
  private readonly firstUse = new WeakMap<ClientBase, number>();
  private renewedAt = -Infinity;

  private readonly namesStatements: boolean;

  constructor(
    private readonly dataSource: DataSource,
    private readonly metrics: Metrics,
    { pooler = 'none' }: Pick<DatabaseSettings, 'pooler'> = {},
  ) {
    // Each transaction may run on another connection, where the name is unknown or taken.
    this.namesStatements = pooler === 'none';
  }

  /** The number of connections, and of callers that wait for one. */
  get connections(): { readonly used: number; readonly idle: number; readonly waiting: number } {
    // Undefined until the data source has connected.
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool | undefined;
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = pool ?? {};
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** Runs a statement on any connection of the pool; committed when it resolves. */
  readonly query: Query = async <Row>(statement: Statement, values: readonly unknown[]) => {
    const result = await this.queryAny({ ...statement, values: [...values] });
    return result.rows as Row[];
  };

  /** The same for a library that brings its own statement. */
  readonly queryAny = async (statement: QueryConfig): Promise<QueryResult> => {
    this.requireInitialized();
    const query = this.prepared(statement);
    const driver = this.dataSource.driver as PostgresDriver;
    const [connection, release] = (await driver.obtainMasterConnection()) as Lease;
    if (!this.isCurrent(connection)) {
      release(true);
      return this.queryAny(statement);
    }
    // An unhandled error event would end the process; the query fails anyway.
    connection.on('error', ignore);
    try {
      const run = () =>
        this.metrics.statement(statement.name ?? 'unnamed', () => connection.query(query));
      return await this.onConnection(connection, run);
    } finally {
      connection.off('error', ignore);
      release();
    }
  };

  /** Runs repositories or query builders; each statement commits on its own. */
  entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((_connection, manager) =>
      this.metrics.statement('entities', () => work(manager)),
    );
  }

  /** Runs `work` in one transaction; `work` runs again after a conflict with another transaction. */
  transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((connection, manager) => {
      const query = async <Row>(statement: Statement, values: readonly unknown[]) => {
        const prepared = this.prepared({ ...statement, values: [...values] });
        const result = await this.metrics.statement(statement.name, () =>
          connection.query(prepared),
        );
        return result.rows as Row[];
      };
      return this.metrics.statement('transaction', () =>
        manager.transaction((inside) => work(query, inside)),
      );
    });
  }

  /** Replaces every connection before its next use: after a failover they lead to a read-only server. */
  renewConnections(): void {
    this.renewedAt = performance.now();
  }

  /** TypeORM already has connections while it still asks for the version, and knows no entity yet. */
  private requireInitialized(): void {
    if (!this.dataSource.isInitialized) throw new Error('Driver not Connected');
  }

  /** As it is sent: without its name where a pooler is in between. */
  private prepared({ name, ...statement }: QueryConfig): QueryConfig {
    return this.namesStatements && name !== undefined ? { ...statement, name } : statement;
  }

  private async onRunner<T>(
    work: (connection: ClientBase, manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    this.requireInitialized();
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as ClientBase;
      if (this.isCurrent(connection))
        return await this.onConnection(connection, () => work(connection, runner.manager));
      close(connection);
    } finally {
      await runner.release();
    }
    return this.onRunner(work);
  }

  private isCurrent(connection: ClientBase): boolean {
    const firstUse = this.firstUse.get(connection) ?? performance.now();
    this.firstUse.set(connection, firstUse);
    return firstUse >= this.renewedAt;
  }

  /** Closes the connection at the deadline: a late result must not reach its next user. */
  private async onConnection<T>(connection: ClientBase, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.distrust(connection);
      close(connection);
    }, DEADLINE);
    try {
      return await retried(work);
    } catch (error) {
      if (isReadOnly(error)) this.distrust(connection);
      if (isConnectionSpent(error)) close(connection);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The connections that are as old lead to the same server, which hangs or only reads. */
  private distrust(connection: ClientBase): void {
    if (this.isCurrent(connection)) this.renewConnections();
  }
}
