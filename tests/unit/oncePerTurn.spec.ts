import { setImmediate as nextTurn } from 'node:timers/promises';
import { oncePerTurn } from '../../src/database/oncePerTurn';

describe('oncePerTurn', () => {
  const asked: number[][] = [];
  const double = oncePerTurn((questions: readonly number[]) => {
    asked.push([...questions]);
    return Promise.resolve(questions.map((question) => question * 2));
  });
  beforeEach(() => {
    asked.length = 0;
  });

  describe('when several calls come in one turn of the event loop', () => {
    it('loads once and gives each call its own value', async () => {
      expect(await Promise.all([double(1), double(2), double(2)])).toEqual([2, 4, 4]);
      expect(asked).toEqual([[1, 2, 2]]);
    });

    it('loads at most a hundred keys at once', async () => {
      const answers = await Promise.all(Array.from({ length: 250 }, (_value, i) => double(i)));
      expect(answers[249]).toBe(498);
      expect(asked.map(({ length }) => length)).toEqual([100, 100, 50]);
    });
  });

  describe('when the calls come in different turns', () => {
    it('loads again, without a cache', async () => {
      const first = double(1);
      await nextTurn();
      const second = double(1);
      expect(await Promise.all([first, second])).toEqual([2, 2]);
      expect(asked).toEqual([[1], [1]]);
    });
  });

  describe('when the load fails', () => {
    it('rejects all calls of the turn and no later one', async () => {
      let fails = true;
      const once = oncePerTurn((questions: readonly number[]) =>
        fails ? Promise.reject(new Error('away')) : Promise.resolve([...questions]),
      );
      const outcomes = await Promise.allSettled([once(1), once(2)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      fails = false;
      expect(await once(3)).toBe(3);
    });
  });
});
