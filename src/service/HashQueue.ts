import { problem } from '../errors/problems';

interface HashQueueSettings {
  /** Jobs that run at once. */
  concurrency: number;
  /** Jobs that may wait. */
  limit: number;
  /** The longest wait, in milliseconds. */
  patience: number;
}

interface Waiting {
  begin: () => void;
  timer: NodeJS.Timeout;
}

/**
 * Limits running and waiting hashes, so that responses stay fast and DNS, files and signatures keep a
 * thread. Beyond the limit a job is refused at once: an endless queue would make everyone wait in vain.
 */
export class HashQueue {
  private running = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly settings: HashQueueSettings) {}

  /** @throws {Problem} `overloaded` if the queue is full or the job waits too long. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.running < this.settings.concurrency) this.running += 1;
    else await this.turn();
    try {
      return await job();
    } finally {
      const next = this.waiting.shift();
      if (next) next.begin();
      else this.running -= 1;
    }
  }

  /** Resolves when a job that ends hands over its place. */
  private turn(): Promise<void> {
    if (this.waiting.length >= this.settings.limit) throw problem('overloaded');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(entry), 1);
        reject(problem('overloaded'));
      }, this.settings.patience);
      const entry = {
        timer,
        begin: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      this.waiting.push(entry);
    });
  }
}
