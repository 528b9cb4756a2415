import path from 'node:path';
import { createLogger as createWinston, format, type Logger } from 'winston';
import Transport from 'winston-transport';
import type { Config } from '.';
import { AuditFile } from './AuditFile';
import { LogOutage, type Report } from './LogOutage';
import { PROJECT_ROOT } from './projectRoot';

export type { Logger };

/** Where winston stores the finished line. */
const MESSAGE = Symbol.for('message');

const LEVELS: readonly string[] = ['error', 'warn', 'info', 'debug'] satisfies Config['logLevel'][];

/** May act on the terminal of a reader; JSON.stringify escapes only a few of them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const escapeUnits = (text: string) =>
  text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

const json = format.json({ maximumDepth: 10, maximumBreadth: 100 });

const line = format((info) => {
  try {
    json.transform(info, json.options);
  } catch {
    // A getter or a toJSON of a field throws.
    const { level, message, timestamp, event } = info;
    info[MESSAGE] = JSON.stringify({ level, message, timestamp, event });
  }
  info[MESSAGE] = String(info[MESSAGE]).replace(UNPRINTABLE, escapeUnits);
  return info;
});

/** One write for all lines of one turn of the event loop. */
class BatchedStdout extends Transport {
  private lines = '';

  constructor(private readonly outage: LogOutage) {
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
    if (this.lines === '') return;
    process.stdout.write(this.outage.separator + this.lines, (error) => {
      if (error) this.outage.failed(error);
      else this.outage.worked();
    });
    this.lines = '';
  }
}

/** Events are logged at every level. */
const relevant = (level: Config['logLevel']) =>
  format((info) =>
    'event' in info || LEVELS.indexOf(info.level) <= LEVELS.indexOf(level) ? info : false,
  )();

/**
 * Writes JSON lines on stdout, and events also to the audit file if there is one. An output that fails
 * is reported once on the other one, and does not stop the service.
 */
export function createLogger({
  logLevel,
  auditLogFile,
}: Pick<Config, 'logLevel' | 'auditLogFile'>): Logger {
  // An unhandled error event would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const logger = createWinston({
    level: 'debug',
    defaultMeta: { service: 'auth-service' },
    format: format.combine(relevant(logLevel), format.timestamp(), line()),
  });
  const report: Report = (level, message, fields) => void logger.log(level, message, fields);
  const toStderr: Report = (level, message, fields) =>
    void process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  const hasFile = auditLogFile !== undefined;
  logger.add(new BatchedStdout(new LogOutage('standard output', hasFile ? report : toStderr)));
  if (hasFile) {
    const file = path.resolve(PROJECT_ROOT, auditLogFile);
    logger.add(new AuditFile(file, new LogOutage('the audit file', report)));
  }
  return logger;
}
