import type { Request, Response } from 'express';
import type { HealthService } from '../service/HealthService';

/** The probes of an orchestrator. */
export class HealthController {
  constructor(private readonly health: HealthService) {}

  readonly live = (_req: Request, res: Response): void => {
    res.json({ status: 'live' });
  };

  readonly ready = async (_req: Request, res: Response): Promise<void> => {
    await this.health.requireReady();
    res.json({ status: 'ready' });
  };
}
