import type { Database } from '../database/Database';
import { isTableMissing } from '../database/databaseErrors';
import { FIND_ENCODING, FIND_STATE } from '../database/healthStatements';
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

  /** @throws {Error} if the database cannot store every name because its encoding is not UTF8. */
  async requireEncoding(): Promise<void> {
    const [found] = await this.database.query<{ encoding: string }>(FIND_ENCODING, []);
    if (found?.encoding !== 'UTF8')
      throw new Error(
        `the database has the encoding ${String(found?.encoding)}: create it with ` +
          `"CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"`,
      );
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
