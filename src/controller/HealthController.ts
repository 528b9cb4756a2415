import type { Request, Response } from 'express';
import type { Query, Statement } from '../database/Database';
import { problem } from '../errors/problems';

/** Whether the process takes part in the service; set by server.ts when it is told to stop. */
export interface Lifecycle {
  draining: boolean;
}

/**
 * $1 names. Those that newer replicas have run besides do not matter; a database that takes no writes
 * is of no use.
 */
const COUNT_MIGRATIONS: Statement = {
  name: 'health-migrations',
  text: `
    SELECT count(*)::integer AS run FROM migrations
    WHERE name = ANY($1) AND current_setting('transaction_read_only') = 'off'`,
};

/** What an orchestrator asks. */
export class HealthController {
  constructor(
    private readonly query: Query,
    private readonly lifecycle: Lifecycle,
    private readonly migrations: readonly string[],
  ) {}

  live(_req: Request, res: Response): void {
    res.json({ status: 'live' });
  }

  /** The signing key was read and tried before the process began to listen. */
  async ready(_req: Request, res: Response): Promise<void> {
    if (this.lifecycle.draining) throw problem('unavailable');
    if (!(await this.schemaIsUsable())) throw problem('unavailable');
    res.json({ status: 'ready' });
  }

  private async schemaIsUsable(): Promise<boolean> {
    try {
      const [found] = await this.query<{ run: number }>(COUNT_MIGRATIONS, [this.migrations]);
      return found?.run === this.migrations.length;
    } catch (cause) {
      throw problem('unavailable', { cause });
    }
  }
}
