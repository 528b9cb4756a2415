import { appendFileSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import Transport from 'winston-transport';
import type { LogOutage } from './LogOutage';

const KEPT_DAYS = 90;
const DAY = 24 * 60 * 60 * 1000;

/** Non-blocking: a named pipe without a reader would block the service. */
const FLAGS = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

/**
 * Writes security events to one file per day, which only its owner can read, and keeps 90 days. After a
 * full disk winston-daily-rotate-file would not write again until the next day.
 */
export class AuditFile extends Transport {
  private readonly file: path.ParsedPath;
  private openedDay = '';

  /** `folder/audit.log` gives `folder/audit-2030-12-31.log`. */
  constructor(
    file: string,
    private readonly outage: LogOutage,
  ) {
    super();
    this.file = path.parse(file);
  }

  override log(info: Record<string | symbol, unknown>, done: () => void): void {
    if (info.event !== undefined) this.append(`${String(info[Symbol.for('message')])}\n`);
    done();
  }

  private append(line: string): void {
    const day = dayOf(Date.now());
    const isNewDay = day !== this.openedDay;
    try {
      if (isNewDay) mkdirSync(this.file.dir, { recursive: true, mode: 0o700 });
      const options = { mode: 0o600, flag: FLAGS as unknown as string };
      appendFileSync(this.pathOf(day), this.outage.separator + line, options);
      this.openedDay = day;
      this.outage.worked();
    } catch (error) {
      // Creates the folder again if it was deleted.
      this.openedDay = '';
      this.outage.failed(error);
      return;
    }
    if (isNewDay) this.deleteOld();
  }

  private pathOf(day: string): string {
    return path.join(this.file.dir, `${this.file.name}-${day}${this.file.ext}`);
  }

  private deleteOld(): void {
    const { dir, name, ext } = this.file;
    const oldest = dayOf(Date.now() - KEPT_DAYS * DAY);
    try {
      for (const found of readdirSync(dir)) {
        const day = found.slice(name.length + 1, found.length - ext.length);
        const isOurs = found === path.basename(this.pathOf(day)) && /^\d{4}-\d\d-\d\d$/.test(day);
        if (isOurs && day < oldest) rmSync(path.join(dir, found), { force: true });
      }
    } catch {
      // Old files are tried again the next day.
    }
  }
}
