export type Report = (level: 'error' | 'info', message: string, fields: object) => void;

/** Counts the lines that a log output loses; reports when it fails and when it works again. */
export class LogOutage {
  private lost = 0;

  /** `report` must write to another output. */
  constructor(
    private readonly output: string,
    private readonly report: Report,
  ) {}

  /** A failed write may leave half a line, which the next one must not continue. */
  get separator(): string {
    return this.lost > 0 ? '\n' : '';
  }

  failed(error: unknown): void {
    this.lost += 1;
    if (this.lost > 1) return;
    const { code } = error as NodeJS.ErrnoException;
    this.tell('error', 'cannot be written; the service continues without it', { cause: code });
  }

  worked(): void {
    if (this.lost === 0) return;
    this.tell('info', 'can be written again', { lost: this.lost });
    this.lost = 0;
  }

  /** Deferred, because the logger is still writing the line that failed. */
  private tell(level: 'error' | 'info', what: string, fields: object): void {
    setImmediate(() => {
      const event = 'sys_monitor_disabled';
      this.report(level, `${this.output} ${what}`, { event, ...fields });
    });
  }
}
