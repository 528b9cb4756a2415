import type { Database } from '../database/Database';
import { isTableMissing } from '../database/databaseErrors';
import { FIND_ENCODING, FIND_SETTINGS, FIND_STATE } from '../database/healthStatements';
import { requireUtf8 } from '../database/requireUtf8';
import { problem } from '../errors/problems';
import type { Lifecycle } from '../types/lifecycle';

export class HealthService {
  constructor(
    private readonly database: Database,
    private readonly lifecycle: Lifecycle,
    private readonly migrations: readonly string[],
  ) {}

  /** @throws {Problem} `unavailable` while draining, or if the database or its schema is not usable. */
  async requireReady(): Promise<void> {
    if (this.lifecycle.draining || !(await this.isUsable())) throw problem('unavailable');
  }

  /** This version's migrations that have not run, in order. */
  async pendingMigrations(): Promise<readonly string[]> {
    const { pending } = await this.state();
    return pending;
  }

  /** @throws {ConfigError} if the database cannot hold every name. */
  async requireEncoding(): Promise<void> {
    const [found] = await this.database.query<{ encoding: string }>(FIND_ENCODING, []);
    requireUtf8(found?.encoding);
  }

  /**
   * The settings of the connection that differ from these, each with the statement that makes the role
   * have it. Behind a pooler they cannot be set for a connection.
   *
   * @throws {Error} if the isolation level is not the one that the statements rely on.
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
      throw new Error(`the role needs the isolation level read committed: ${isolation.statement}`);
    return missing;
  }

  private async isUsable(): Promise<boolean> {
    try {
      const { readOnly, pending } = await this.state();
      // No request would do it: a replica that is not ready gets none.
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
