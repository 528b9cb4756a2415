export type Report = (level: 'error' | 'info', message: string, fields: object) => void;

/** Counts what an output of the log loses; reports when it fails, and when it works again. */
export class LogOutage {
  private lost = 0;

  /** `report` writes to another output. */
  constructor(
    private readonly output: string,
    private readonly report: Report,
  ) {}

  /** What a failed write has left of a line must not join the next one. */
  get separator(): string {
    return this.lost > 0 ? '\n' : '';
  }

  failed(error: unknown): void {
    this.lost += 1;
    if (this.lost > 1) return;
    const { code } = error as NodeJS.ErrnoException;
    this.tell('error', 'cannot be written; the service goes on without it', { cause: code });
  }

  worked(): void {
    if (this.lost === 0) return;
    this.tell('info', 'can be written again', { lost: this.lost });
    this.lost = 0;
  }

  /** Later: the logger is still busy with the line that failed. */
  private tell(level: 'error' | 'info', what: string, fields: object): void {
    setImmediate(() => {
      const event = 'sys_monitor_disabled';
      this.report(level, `${this.output} ${what}`, { event, ...fields });
    });
  }
}
