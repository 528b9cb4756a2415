import path from 'node:path';
import { createLogger as createWinston, format, transports, type Logger } from 'winston';
import type DailyRotateFile from 'winston-daily-rotate-file';
import { PROJECT_ROOT, type Config } from '.';

export type { Logger };

/**
 * A winston logger that writes one JSON object a line on stdout, with the UTC time of each, and the
 * security events besides into a file that a new one follows every day, if one is named.
 */
export function createLogger({
  logLevel,
  auditLogFile,
}: Pick<Config, 'logLevel' | 'auditLogFile'>): Logger {
  // Whoever read the log is gone: the service goes on without it.
  process.stdout.on('error', () => undefined);
  const logger = createWinston({
    level: logLevel,
    defaultMeta: { service: 'auth-service' },
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console()],
  });
  if (auditLogFile !== undefined) logger.add(auditFile(path.resolve(PROJECT_ROOT, auditLogFile)));
  return logger;
}

function auditFile(file: string): DailyRotateFile {
  // Loaded only where it is wanted: with what it brings it weighs some megabytes.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const RotateFile = require('winston-daily-rotate-file') as typeof DailyRotateFile;
  const { dir, name, ext } = path.parse(file);
  return new RotateFile({
    dirname: dir,
    filename: `${name}-%DATE%${ext}`,
    maxFiles: '90d',
    utc: true,
    format: format((info) => ('event' in info ? info : false))(),
  });
}
