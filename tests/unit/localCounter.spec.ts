import { LocalCounter } from '../../src/service/LocalCounter';

describe('LocalCounter', () => {
  let now = 0;
  const aCounter = () => new LocalCounter(60, () => now);
  beforeEach(() => {
    now = 1_000_000;
  });

  describe('when a key is counted again and again', () => {
    it('counts from the first point on until the time is over', () => {
      const counter = aCounter();
      expect(counter.add('one')).toEqual({ points: 1, milliseconds: 60_000 });
      now += 59_999;
      expect(counter.add('one')).toEqual({ points: 2, milliseconds: 1 });
      expect(counter.add('other')).toEqual({ points: 1, milliseconds: 60_000 });
      now += 1;
      expect(counter.add('one')).toEqual({ points: 1, milliseconds: 60_000 });
    });
  });

  describe('when there are more than 10 000 keys', () => {
    it('forgets those that were counted longest ago, and no others', () => {
      const counter = aCounter();
      for (const key of ['idle', 'busy']) counter.add(key);
      for (let i = 0; i < 9_998; i += 1) counter.add(`key ${i}`);
      expect(counter.add('busy').points).toBe(2);
      counter.add('one more');
      expect(counter.add('busy').points).toBe(3);
      expect(counter.add('key 0').points).toBe(2);
      expect(counter.add('idle').points).toBe(1);
    });
  });
});
