import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver';

/** A statement that each connection prepares once, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in one round trip and resolves to its rows. */
export type Query = <Row>(statement: Statement, values: readonly unknown[]) => Promise<Row[]>;

/**
 * The data source's own pool, without TypeORM's query runner in between: it cannot name a statement,
 * and PostgreSQL would parse and plan the same text at every request.
 */
export function preparedQuery(dataSource: DataSource): Query {
  return async <Row>({ name, text }: Statement, values: readonly unknown[]) => {
    const pool = (dataSource.driver as PostgresDriver).master as Pool;
    const result = await pool.query({ name, text, values: [...values] });
    return result.rows as Row[];
  };
}
