import type { Logger } from '../config/logger';
import type { AuditEvent, AuditFields } from '../types/audit';
import type { Client } from '../types/client';
import { auditLevels } from './auditLevels';

/** Writes one line for each security event, never with a secret. */
export class AuditLog {
  constructor(private readonly logger: Logger) {}

  record(event: AuditEvent, client: Client, fields: AuditFields = {}): void {
    const { requestId, ipAddress, userAgent } = client;
    this.logger.log(auditLevels[event], 'security event', {
      event,
      requestId,
      ipAddress,
      userAgent,
      ...fields,
    });
  }
}
