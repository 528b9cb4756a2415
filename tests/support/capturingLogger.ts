import { Writable } from 'node:stream';
import { createLogger, format, transports, type Logger } from 'winston';

export type LogLine = Record<string, unknown>;

/** A logger, and every line that it has logged, oldest first. */
export function capturingLogger(): { logger: Logger; logs: LogLine[] } {
  const logs: LogLine[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logs.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  const logger = createLogger({
    format: format.json(),
    transports: [new transports.Stream({ stream })],
  });
  return { logger, logs };
}
