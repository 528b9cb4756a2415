import path from 'node:path';
import { createLogger as createWinston, format, type Logger } from 'winston';
import type DailyRotateFile from 'winston-daily-rotate-file';
import Transport from 'winston-transport';
import { PROJECT_ROOT, type Config } from '.';
import { escapeControls } from './escapeControls';

export type { Logger };

/** The key under which winston's formats store the finished line. */
const MESSAGE = Symbol.for('message');

/** Writes the lines of one turn of the event loop together, to save a write per request. */
class BatchedStdout extends Transport {
  private lines = '';

  constructor() {
    super();
    process.once('exit', () => {
      this.flush();
    });
  }

  override log(info: Record<symbol, string>, done: () => void): void {
    if (this.lines === '')
      setImmediate(() => {
        this.flush();
      });
    this.lines += `${info[MESSAGE] ?? ''}\n`;
    done();
  }

  private flush(): void {
    if (this.lines !== '') process.stdout.write(this.lines);
    this.lines = '';
  }
}

/**
 * A winston logger that writes JSON lines with UTC times on stdout, and security events also to a file
 * per day if the settings name one.
 */
export function createLogger({
  logLevel,
  auditLogFile,
}: Pick<Config, 'logLevel' | 'auditLogFile'>): Logger {
  // Keep serving when the log reader is gone.
  process.stdout.on('error', () => undefined);
  const logger = createWinston({
    level: logLevel,
    defaultMeta: { service: 'auth-service' },
    format: format.combine(format.timestamp(), format.json(), escapeControls()),
    transports: [new BatchedStdout()],
  });
  if (auditLogFile !== undefined) logger.add(auditFile(path.resolve(PROJECT_ROOT, auditLogFile)));
  return logger;
}

function auditFile(file: string): DailyRotateFile {
  // It takes some megabytes of memory, so it is loaded only if it is used.
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a lazy import
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
