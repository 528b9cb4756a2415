import { problem } from '../errors/problems';

interface HashQueueSettings {
  /** How many run at once. */
  concurrency: number;
  /** How many may wait. */
  limit: number;
  /** How long one may wait, in milliseconds. */
  patience: number;
}

interface Waiting {
  begin: () => void;
  timer: NodeJS.Timeout;
}

/**
 * Lets so many password hashes run at once, and so many wait, that each answer comes in time and the
 * thread pool always has a thread for DNS, files and signatures. What is beyond that is refused at
 * once: a queue without an end makes everybody wait for nothing.
 */
export class HashQueue {
  private running = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly settings: HashQueueSettings) {}

  /** @throws {Problem} `overloaded` where the queue is full, or the job's turn does not come. */
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

  /** Resolves when a job has ended that leaves its place to this one. */
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
