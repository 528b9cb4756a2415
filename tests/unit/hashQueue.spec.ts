import { noMetrics } from '../../src/metrics/noMetrics';
import { HashQueue } from '../../src/service/HashQueue';

/** A job that ends on demand. */
function aJob() {
  let end: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  const job = {
    begun: false,
    end: () => end?.(),
    fail: (error: Error) => fail?.(error),
    run: () => {
      job.begun = true;
      return new Promise<string>((resolve, reject) => {
        end = () => {
          resolve('done');
        };
        fail = reject;
      });
    },
  };
  return job;
}

const jobs = (count: number) => Array.from({ length: count }, aJob);
const overloaded = expect.objectContaining({ code: 'overloaded', status: 503 }) as unknown;
/** Runs the continuations of resolved promises. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const settings = { concurrency: 2, limit: 3, patience: 60_000 };

describe('HashQueue', () => {
  describe('when more jobs arrive than may run at once', () => {
    it('runs no more than that, in their order', async () => {
      const queue = new HashQueue(settings, noMetrics);
      const all = jobs(5);
      const begun: number[] = [];
      const results = all.map((job, i) =>
        queue.run('one', () => {
          begun.push(i);
          return job.run();
        }),
      );
      await turn();
      expect(begun).toEqual([0, 1]);
      all[1]?.end();
      await turn();
      expect(begun).toEqual([0, 1, 2]);
      for (const job of all) {
        job.end();
        await turn();
      }
      all.forEach((job) => {
        job.end();
      });
      expect(begun).toEqual([0, 1, 2, 3, 4]);
      expect(await Promise.all(results)).toEqual(Array(5).fill('done'));
    });
  });

  describe('when the queue is full', () => {
    it('refuses at once, and accepts the next job when there is room', async () => {
      const queue = new HashQueue(settings, noMetrics);
      const all = jobs(5);
      const results = all.map((job) => queue.run('one', job.run));
      const refused = aJob();
      await expect(queue.run('one', refused.run)).rejects.toEqual(overloaded);
      expect(refused.begun).toBe(false);

      all[0]?.end();
      await results[0];
      const late = aJob();
      const result = queue.run('one', late.run);
      for (const job of [...all, late]) {
        await turn();
        job.end();
      }
      expect(await result).toBe('done');
    });
  });

  describe('when several networks wait', () => {
    it('gives each network its turn, however long the other queues are', async () => {
      const queue = new HashQueue({ concurrency: 1, limit: 10, patience: 60_000 }, noMetrics);
      const order: string[] = [];
      const results = ['a', 'a', 'a', 'a', 'b', 'c', 'b'].map((network) =>
        queue.run(network, () => {
          order.push(network);
          return Promise.resolve();
        }),
      );
      await Promise.all(results);
      expect(order.join('')).toBe('aabcaba');
    });

    it('gives the next place to the network that has the fewest', async () => {
      const queue = new HashQueue({ concurrency: 2, limit: 10, patience: 60_000 }, noMetrics);
      const flood = jobs(6);
      const results = flood.map((job) => queue.run('flood', job.run));
      const first = aJob();
      const second = aJob();
      results.push(queue.run('one', first.run), queue.run('other', second.run));
      flood[0]?.end();
      await turn();
      // The flood has the first turn of the round, and a job that still runs.
      expect([first, flood[2]].map((job) => job?.begun)).toEqual([true, false]);
      first.end();
      await turn();
      expect([second, flood[2]].map((job) => job?.begun)).toEqual([true, false]);
      for (const job of [second, ...flood.slice(1)]) {
        job.end();
        await turn();
      }
      expect(await Promise.all(results)).toEqual(Array(8).fill('done'));
    });

    it('drops a job of the network with the most for a newcomer', async () => {
      const queue = new HashQueue({ concurrency: 1, limit: 3, patience: 60_000 }, noMetrics);
      const [running, first, second, third, newcomer] = [aJob(), aJob(), aJob(), aJob(), aJob()];
      const results = [running, first, second, third].map((job) => queue.run('flood', job.run));
      const admitted = queue.run('other', newcomer.run);
      await expect(results[3]).rejects.toEqual(overloaded);
      await expect(queue.run('flood', aJob().run)).rejects.toEqual(overloaded);
      for (const job of [running, first, newcomer, second]) {
        await turn();
        job.end();
      }
      expect(await admitted).toBe('done');
      expect(third.begun).toBe(false);
    });

    it('refuses a newcomer if no network has more jobs than its own', async () => {
      const queue = new HashQueue({ concurrency: 1, limit: 2, patience: 60_000 }, noMetrics);
      const [running, ...waiting] = [aJob(), aJob(), aJob()];
      const results = [running, ...waiting].map((job, i) => queue.run(`network ${i}`, job.run));
      await expect(queue.run('late', aJob().run)).rejects.toEqual(overloaded);
      for (const job of [running, ...waiting]) {
        await turn();
        job.end();
      }
      expect(await Promise.all(results)).toEqual(['done', 'done', 'done']);
    });
  });

  describe('when a job waits too long', () => {
    it('refuses it, never runs it, and runs the others', async () => {
      const queue = new HashQueue({ ...settings, concurrency: 1, patience: 50 }, noMetrics);
      const [running, waiting] = [aJob(), aJob()];
      const result = queue.run('one', running.run);
      await expect(queue.run('one', waiting.run)).rejects.toEqual(overloaded);
      running.end();
      expect(await result).toBe('done');
      await turn();
      expect(waiting.begun).toBe(false);

      const next = aJob();
      const later = queue.run('one', next.run);
      next.end();
      expect(await later).toBe('done');
    });
  });

  describe('when a job fails', () => {
    it('passes on its error and runs the next job', async () => {
      const queue = new HashQueue({ ...settings, concurrency: 1 }, noMetrics);
      const [bad, good] = [aJob(), aJob()];
      const failed = queue.run('one', bad.run);
      const result = queue.run('one', good.run);
      bad.fail(new Error('no'));
      await expect(failed).rejects.toThrow('no');
      await turn();
      good.end();
      expect(await result).toBe('done');
    });
  });
});
