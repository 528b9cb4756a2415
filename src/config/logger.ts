import { createLogger as createWinston, format, transports, type Logger } from 'winston';

export type { Logger };

/** A winston logger that writes one JSON object a line on stdout, with the UTC time of each. */
export function createLogger(level: string): Logger {
  return createWinston({
    level,
    defaultMeta: { service: 'auth-service' },
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console()],
  });
}
