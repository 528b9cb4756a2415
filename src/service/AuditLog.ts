import type { Logger } from '../config/logger';
import type { AuditEvent, AuditFields } from '../types/audit';
import type { Client } from '../types/client';
import type { Metrics } from '../types/metrics';
import { auditLevels } from './auditLevels';

/** Writes one line for each security event, never with a secret. */
export class AuditLog {
  constructor(
    private readonly logger: Logger,
    private readonly metrics: Metrics,
  ) {}

  record(event: AuditEvent, client: Client, fields: AuditFields = {}): void {
    this.metrics.auditEvent(event);
    const { requestId, ipAddress, userAgent, trace } = client;
    this.logger.log(auditLevels[event], 'security event', {
      event,
      requestId,
      ipAddress,
      userAgent,
      ...trace,
      ...fields,
    });
  }
}
