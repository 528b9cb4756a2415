import type { Database } from '../database/Database';
import { COUNT_MIGRATIONS } from '../database/healthStatements';
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
    if (this.lifecycle.draining || !(await this.schemaIsUsable())) throw problem('unavailable');
  }

  private async schemaIsUsable(): Promise<boolean> {
    try {
      const values = [this.migrations];
      const [found] = await this.database.query<{ run: number }>(COUNT_MIGRATIONS, values);
      return found?.run === this.migrations.length;
    } catch (cause) {
      throw problem('unavailable', { cause });
    }
  }
}
