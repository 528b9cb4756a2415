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
 * How long a statement, or a transaction, may take altogether, in milliseconds. A server that hangs
 * cannot enforce its own limits, which are a little lower. Together with the wait for a connection it
 * stays below the five seconds in which every request is answered.
 */
const DEADLINE = 2_400;

/**
 * Does the work, or breaks the connection off: an answer that comes later must not find it in the
 * pool, in somebody else's hands. What was waiting for the answer fails with the connection.
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
 * The database, by TypeORM's entities and by prepared statements side by side, on the same pool.
 *
 * TypeORM's own `query` cannot name a statement: PostgreSQL would parse and plan the same text at
 * every request.
 */
export class Database {
  constructor(private readonly dataSource: DataSource) {}

  /** On any connection of the pool, committed when it resolves. */
  readonly query: Query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
    const result = await this.queryAny({ name, text, values: [...values] });
    return result.rows as Row[];
  };

  /** The same for a library that brings a statement of its own. */
  readonly queryAny = async (statement: QueryConfig): Promise<QueryResult> => {
    const connection = await ((this.dataSource.driver as PostgresDriver).master as Pool).connect();
    // A connection that dies fails its query; the event besides would end the process.
    connection.on('error', ignore);
    try {
      return await withDeadline(connection, () => connection.query(statement));
    } finally {
      connection.off('error', ignore);
      connection.release();
    }
  };

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  async transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as ClientBase;
      const query = async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
        const result = await connection.query({ name, text, values: [...values] });
        return result.rows as Row[];
      };
      // BEGIN and COMMIT may hang, too.
      return await withDeadline(connection, () =>
        runner.manager.transaction((manager) => work(query, manager)),
      );
    } finally {
      await runner.release();
    }
  }
}
