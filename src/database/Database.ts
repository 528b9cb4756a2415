import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import type { Metrics } from '../types/metrics';
import { isConflict, isConnectionSpent, isReadOnly } from './databaseErrors';

/** A statement that each connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in one round trip and resolves to its rows. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/** A connection of the pool, and how to give it back; `true` closes it. */
type Lease = [connection: PoolClient, release: (close?: boolean) => void];

/**
 * The longest time that a statement or a transaction may take, in milliseconds. A server that hangs
 * cannot enforce its own limits, which are a little lower. Together with the wait for a connection
 * it stays below the five seconds within which every request gets a response.
 */
const DEADLINE = 2_400;

/** How often a conflict with another transaction is tried again, and the longest pause before, in ms. */
const RETRIES = 3;
const RETRY_PAUSE = 50;

/**
 * Runs `work`, again after a conflict, and closes the connection at the deadline: a late result must
 * not reach the next user of the connection. Work that still waits for a result fails with the
 * connection. A connection that is of no more use is closed, too; the pool drops closed connections.
 */
async function onConnection<T>(connection: ClientBase, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(close, DEADLINE, connection);
  try {
    return await retried(work);
  } catch (error) {
    if (isConnectionSpent(error)) close(connection);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** PostgreSQL has undone everything when it reports a conflict, so that `work` can run again. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let retry = 1; retry <= RETRIES; retry += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error)) throw error;
      // At random, so that the two transactions do not meet again.
      await delay(Math.random() * RETRY_PAUSE);
    }
  }
  return work();
}

const close = (connection: ClientBase) => void (connection as PoolClient & { end(): void }).end();

const ignore = () => undefined;

/**
 * TypeORM's entities and prepared statements on one pool of connections, under one deadline and with
 * the same errors.
 *
 * TypeORM's own `query` cannot name a statement, so PostgreSQL would parse and plan it at every
 * request.
 */
export class Database {
  /** When each connection was used first, and since when new ones are needed, in milliseconds. */
  private readonly firstUse = new WeakMap<ClientBase, number>();
  private renewedAt = -Infinity;

  constructor(
    private readonly dataSource: DataSource,
    private readonly metrics: Metrics,
  ) {}

  /** The number of connections, and of callers that wait for one. */
  get connections(): { readonly used: number; readonly idle: number; readonly waiting: number } {
    // Undefined until the data source has connected.
    const pool = (this.dataSource.driver as PostgresDriver).master as Pool | undefined;
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = pool ?? {};
    return { used: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
  }

  /** Runs a statement on any connection of the pool; committed when it resolves. */
  readonly query: Query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
    const result = await this.queryAny({ name, text, values: [...values] });
    return result.rows as Row[];
  };

  /** The same for a library with a statement of its own. */
  readonly queryAny = async (statement: QueryConfig): Promise<QueryResult> => {
    const driver = this.dataSource.driver as PostgresDriver;
    const [connection, release] = (await driver.obtainMasterConnection()) as Lease;
    if (!this.isCurrent(connection)) {
      release(true);
      return this.queryAny(statement);
    }
    // A connection that dies fails its query; an unhandled error event would also end the process.
    connection.on('error', ignore);
    try {
      const run = () =>
        this.metrics.statement(statement.name ?? 'unnamed', () => connection.query(statement));
      return await this.renewing(() => onConnection(connection, run));
    } finally {
      connection.off('error', ignore);
      release();
    }
  };

  /** Runs a query of repositories or query builders; each statement is committed by itself. */
  entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((_connection, manager) =>
      this.metrics.statement('entities', () => work(manager)),
    );
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. After a
   * conflict with another transaction `work` runs again.
   */
  transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((connection, manager) => {
      const query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
        const statement = { name, text, values: [...values] };
        const result = await this.metrics.statement(name, () => connection.query(statement));
        return result.rows as Row[];
      };
      return this.metrics.statement('transaction', () =>
        manager.transaction((inside) => work(query, inside)),
      );
    });
  }

  /**
   * Makes the pool replace every connection before its next use. After a failover its connections lead
   * to the former primary, which only reads.
   */
  renewConnections(): void {
    this.renewedAt = performance.now();
  }

  private async onRunner<T>(
    work: (connection: ClientBase, manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as ClientBase;
      if (this.isCurrent(connection))
        return await this.renewing(() =>
          onConnection(connection, () => work(connection, runner.manager)),
        );
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

  private async renewing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isReadOnly(error)) this.renewConnections();
      throw error;
    }
  }
}
