import type { Database } from '../database/Database';
import { isTableMissing } from '../database/databaseErrors';
import { FIND_ENCODING, FIND_SETTINGS, FIND_STATE } from '../database/healthStatements';
import { problem } from '../errors/problems';
import type { Lifecycle } from '../types/lifecycle';

/** Whether this process can serve. */
export class HealthService {
  constructor(
    private readonly database: Database,
    private readonly lifecycle: Lifecycle,
    /** The names of all migrations of this version. */
    private readonly migrations: readonly string[],
  ) {}

  /**
   * Resolves while database and schema are usable; the signing key was read before the process
   * listens.
   *
   * @throws {Problem} `unavailable`, at once while draining.
   */
  async requireReady(): Promise<void> {
    if (this.lifecycle.draining || !(await this.isUsable())) throw problem('unavailable');
  }

  /** The names of the migrations of this version that have not run, in their order. */
  async pendingMigrations(): Promise<readonly string[]> {
    const { pending } = await this.state();
    return pending;
  }

  /** @throws {Error} if the database cannot hold every name: its encoding is not UTF8. */
  async requireEncoding(): Promise<void> {
    const [found] = await this.database.query<{ encoding: string }>(FIND_ENCODING, []);
    if (found?.encoding !== 'UTF8')
      throw new Error(
        `the database has the encoding ${String(found?.encoding)}: create it with ` +
          `"CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"`,
      );
  }

  /**
   * The settings of the connection that differ from these, each with the statement that makes the role
   * have it. Behind a pooler they cannot be set for a connection.
   *
   * @throws {Error} if transactions are isolated in another way than the statements rely on.
   */
  async missingSettings(
    needed: Readonly<Record<string, string | number>>,
  ): Promise<{ setting: string; statement: string }[]> {
    const found = await this.database.query<{ name: string; value: string; role: string }>(
      FIND_SETTINGS,
      [Object.keys(needed)],
    );
    const missing = found
      .filter(({ name, value }) => value !== String(needed[name]))
      .map(({ name, role }) => ({
        setting: name,
        statement: `ALTER ROLE ${role} SET ${name} = '${needed[name]}'`,
      }));
    const isolation = missing.find(({ setting }) => setting === 'default_transaction_isolation');
    if (isolation)
      throw new Error(`the role must isolate transactions as usual: ${isolation.statement}`);
    return missing;
  }

  private async isUsable(): Promise<boolean> {
    try {
      const { readOnly, pending } = await this.state();
      // A replica that gets no requests, because it is not ready, would keep its connections.
      if (readOnly) this.database.renewConnections();
      return !readOnly && pending.length === 0;
    } catch (cause) {
      throw problem('unavailable', { cause });
    }
  }

  private async state(): Promise<{ readOnly: boolean; pending: readonly string[] }> {
    const nothingRun = { readOnly: false, pending: this.migrations };
    try {
      const values = [this.migrations];
      const [found] = await this.database.query<typeof nothingRun>(FIND_STATE, values);
      return found ?? nothingRun;
    } catch (error) {
      if (isTableMissing(error)) return nothingRun;
      throw error;
    }
  }
}
