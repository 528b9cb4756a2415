import type { Database } from '../database/Database';
import { isTableMissing } from '../database/databaseErrors';
import { FIND_STATE } from '../database/healthStatements';
import { requireUtf8 } from '../database/requireUtf8';
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

  /** @throws {ConfigError} if the database cannot hold every name. */
  requireEncoding(): Promise<void> {
    return requireUtf8(this.database);
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
