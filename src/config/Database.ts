import type { ClientBase, Pool } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';

/** A statement that each connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in one round trip and resolves to its rows. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

const queryOn =
  (connection: Pick<ClientBase | Pool, 'query'>): Query =>
  async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
    const result = await connection.query({ name, text, values: [...values] });
    return result.rows as Row[];
  };

/**
 * The database, by TypeORM's entities and by prepared statements side by side, on the same pool.
 *
 * TypeORM's own `query` cannot name a statement: PostgreSQL would parse and plan the same text at
 * every request.
 */
export class Database {
  constructor(private readonly dataSource: DataSource) {}

  /** On any connection of the pool, committed when it resolves. */
  readonly query: Query = (statement, values) =>
    queryOn((this.dataSource.driver as PostgresDriver).master as Pool)(statement, values);

  /** The entities. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (query: Query, manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction(async (manager) => {
      const connection = (await manager.queryRunner?.connect()) as ClientBase;
      return work(queryOn(connection), manager);
    });
  }
}
