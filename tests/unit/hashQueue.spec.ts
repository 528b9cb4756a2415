import { HashQueue } from '../../src/service/HashQueue';

/** A job that ends when it is told to. */
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
/** Lets what has been resolved go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const settings = { concurrency: 2, limit: 3, patience: 60_000 };

describe('HashQueue', () => {
  describe('when more jobs come than may run at once', () => {
    it('runs no more than that, in the order in which they came', async () => {
      const queue = new HashQueue(settings);
      const all = jobs(5);
      const begun: number[] = [];
      const results = all.map((job, i) =>
        queue.run(() => {
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
    it('refuses at once, and takes the next one when there is room', async () => {
      const queue = new HashQueue(settings);
      const all = jobs(5);
      const results = all.map((job) => queue.run(job.run));
      const refused = aJob();
      await expect(queue.run(refused.run)).rejects.toEqual(overloaded);
      expect(refused.begun).toBe(false);

      all[0]?.end();
      await results[0];
      const late = aJob();
      const result = queue.run(late.run);
      for (const job of [...all, late]) {
        await turn();
        job.end();
      }
      expect(await result).toBe('done');
    });
  });

  describe('when the turn of a job does not come in time', () => {
    it('refuses it, never runs it, and goes on with the others', async () => {
      const queue = new HashQueue({ ...settings, concurrency: 1, patience: 50 });
      const [running, waiting] = [aJob(), aJob()];
      const result = queue.run(running.run);
      await expect(queue.run(waiting.run)).rejects.toEqual(overloaded);
      running.end();
      expect(await result).toBe('done');
      await turn();
      expect(waiting.begun).toBe(false);

      const next = aJob();
      const later = queue.run(next.run);
      next.end();
      expect(await later).toBe('done');
    });
  });

  describe('when a job fails', () => {
    it('hands on its error and leaves its place to the next', async () => {
      const queue = new HashQueue({ ...settings, concurrency: 1 });
      const [bad, good] = [aJob(), aJob()];
      const failed = queue.run(bad.run);
      const result = queue.run(good.run);
      bad.fail(new Error('no'));
      await expect(failed).rejects.toThrow('no');
      await turn();
      good.end();
      expect(await result).toBe('done');
    });
  });
});
