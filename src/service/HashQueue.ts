import { problem, type Problem } from '../errors/problems';
import type { Metrics } from '../types/metrics';

interface HashQueueSettings {
  concurrency: number;
  limit: number;
  /** The longest wait, in milliseconds. */
  patience: number;
}

interface Waiting {
  begin: () => void;
  refuse: () => void;
}

/** Limits parallel hashes, so that responses stay fast. A network that floods the queue delays only itself. */
export class HashQueue {
  private running = 0;
  private waiting = 0;
  /** By network; the first network has the next turn. */
  private readonly queues = new Map<string | null, Waiting[]>();
  /** The number of running jobs of each network. */
  private readonly places = new Map<string | null, number>();

  constructor(
    private readonly settings: HashQueueSettings,
    private readonly metrics: Metrics,
  ) {}

  /** The number of jobs. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.waiting };
  }

  /** @throws {Problem} `overloaded` if the queue is full or the job waits too long. */
  async run<T>(network: string | null, job: () => Promise<T>): Promise<T> {
    if (this.running < this.settings.concurrency) {
      this.running += 1;
      this.metrics.hashStarted(0);
    } else await this.turn(network);
    try {
      return await this.counted(network, job);
    } finally {
      const next = this.next();
      if (next) next.begin();
      else this.running -= 1;
    }
  }

  private async counted<T>(network: string | null, job: () => Promise<T>): Promise<T> {
    this.places.set(network, this.placesOf(network) + 1);
    try {
      return await job();
    } finally {
      const others = this.placesOf(network) - 1;
      if (others > 0) this.places.set(network, others);
      else this.places.delete(network);
    }
  }

  private placesOf(network: string | null): number {
    return this.places.get(network) ?? 0;
  }

  /** Resolves when a job that ends hands over its place. */
  private turn(network: string | null): Promise<void> {
    if (this.waiting >= this.settings.limit) this.makeRoom(network);
    const since = performance.now();
    return new Promise((resolve, reject) => {
      const entry = {
        begin: () => {
          clearTimeout(timer);
          this.metrics.hashStarted(performance.now() - since);
          resolve();
        },
        refuse: () => {
          clearTimeout(timer);
          this.remove(network, entry);
          reject(this.refusal());
        },
      };
      const timer = setTimeout(entry.refuse, this.settings.patience);
      const queue = this.queues.get(network);
      if (queue) queue.push(entry);
      else this.queues.set(network, [entry]);
      this.waiting += 1;
    });
  }

  private next(): Waiting | undefined {
    for (const [network, queue] of this.byTurn()) {
      const [entry] = queue;
      if (entry === undefined) continue;
      this.remove(network, entry);
      if (queue.length > 0) {
        this.queues.delete(network);
        this.queues.set(network, queue);
      }
      return entry;
    }
    return undefined;
  }

  /** The networks with the fewest running jobs first; among these, in the order of the round. */
  private byTurn(): [string | null, Waiting[]][] {
    return [...this.queues].sort(([one], [two]) => this.placesOf(one) - this.placesOf(two));
  }

  /** Refuses the newest job of the network with the most, or the newcomer if that is its own network. */
  private makeRoom(newcomer: string | null): void {
    const own = this.queues.get(newcomer) ?? [];
    let longest = own;
    for (const queue of this.queues.values()) if (queue.length > longest.length) longest = queue;
    if (longest.length <= own.length + 1) throw this.refusal();
    longest.at(-1)?.refuse();
  }

  private refusal(): Problem {
    this.metrics.hashRefused();
    return problem('overloaded');
  }

  private remove(network: string | null, entry: Waiting): void {
    const queue = this.queues.get(network) ?? [];
    queue.splice(queue.indexOf(entry), 1);
    if (queue.length === 0) this.queues.delete(network);
    this.waiting -= 1;
  }
}
