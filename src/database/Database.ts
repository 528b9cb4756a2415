import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResult } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';

/** A statement that each connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in one round trip and resolves to its rows. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/**
 * The longest time that a statement or a transaction may take, in milliseconds. A server that hangs
 * cannot enforce its own limits, which are a little lower. Together with the wait for a connection
 * it stays below the five seconds within which every request gets a response.
 */
const DEADLINE = 2_400;

/**
 * Runs `work`, and closes the connection at the deadline: a late result must not reach the next user
 * of the connection. Work that still waits for a result fails with the connection.
 */
async function withDeadline<T>(connection: ClientBase, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => void (connection as PoolClient & { end(): void }).end(), DEADLINE);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

const ignore = () => undefined;

/**
 * TypeORM's entities and prepared statements on one pool of connections, under one deadline and with
 * the same errors.
 *
 * TypeORM's own `query` cannot name a statement, so PostgreSQL would parse and plan it at every
 * request.
 */
export class Database {
  constructor(private readonly dataSource: DataSource) {}

  /** Runs a statement on any connection of the pool; committed when it resolves. */
  readonly query: Query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
    const result = await this.queryAny({ name, text, values: [...values] });
    return result.rows as Row[];
  };

  /** The same for a library with a statement of its own. */
  readonly queryAny = async (statement: QueryConfig): Promise<QueryResult> => {
    const connection = await ((this.dataSource.driver as PostgresDriver).master as Pool).connect();
    // A connection that dies fails its query; an unhandled error event would also end the process.
    connection.on('error', ignore);
    try {
      return await withDeadline(connection, () => connection.query(statement));
    } finally {
      connection.off('error', ignore);
      connection.release();
    }
  };

  /** Runs a query of repositories or query builders; each statement is committed by itself. */
  entities<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onConnection((_connection, manager) => work(manager));
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.onConnection((connection, manager) => {
      const query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
        const result = await connection.query({ name, text, values: [...values] });
        return result.rows as Row[];
      };
      return manager.transaction((inside) => work(query, inside));
    });
  }

  private async onConnection<T>(
    work: (connection: ClientBase, manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as ClientBase;
      return await withDeadline(connection, () => work(connection, runner.manager));
    } finally {
      await runner.release();
    }
  }
}
