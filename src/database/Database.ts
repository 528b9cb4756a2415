import { setTimeout as delay } from 'node:timers/promises';
import type { ClientBase, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';
import type { DatabaseSettings } from '../config/databaseSettings';
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

  private readonly namesStatements: boolean;

  constructor(
    private readonly dataSource: DataSource,
    { pooler = 'none' }: Pick<DatabaseSettings, 'pooler'> = {},
  ) {
    // Each transaction may run on another connection, where the name is unknown or taken.
    this.namesStatements = pooler === 'none';
  }

  /** Runs a statement on any connection of the pool; committed when it resolves. */
  readonly query: Query = async <Row>(statement: Statement, values: readonly unknown[]) => {
    const result = await this.queryAny({ ...statement, values: [...values] });
    return result.rows as Row[];
  };

  /** The same for a library with a statement of its own. */
  readonly queryAny = async (statement: QueryConfig): Promise<QueryResult> => {
    this.requireInitialized();
    const query = this.prepared(statement);
    const driver = this.dataSource.driver as PostgresDriver;
    const [connection, release] = (await driver.obtainMasterConnection()) as Lease;
    if (!this.isCurrent(connection)) {
      release(true);
      return this.queryAny(statement);
    }
    // A connection that dies fails its query; an unhandled error event would also end the process.
    connection.on('error', ignore);
    try {
      return await this.renewing(() => onConnection(connection, () => connection.query(query)));
    } finally {
      connection.off('error', ignore);
      release();
    }
  };

  /** Runs a query of repositories or query builders; each statement is committed by itself. */
  entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((_connection, manager) => work(manager));
  }

  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. After a
   * conflict with another transaction `work` runs again.
   */
  transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onRunner((connection, manager) => {
      const query = async <Row>(statement: Statement, values: readonly unknown[]) => {
        const prepared = this.prepared({ ...statement, values: [...values] });
        const result = await connection.query(prepared);
        return result.rows as Row[];
      };
      return manager.transaction((inside) => work(query, inside));
    });
  }

  /**
   * Makes the pool replace every connection before its next use. After a failover its connections lead
   * to the former primary, which only reads.
   */
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
