import DataLoader from 'dataloader';

const MAX_SHARERS = 100;

/**
 * Lets the requests of one turn of the event loop share one statement; nothing is cached. `load`
 * resolves to one value for each key, in the same order.
 */
export function oncePerTurn<Key, Value>(
  load: (keys: readonly Key[]) => Promise<Value[]>,
): (key: Key) => Promise<Value> {
  const loader = new DataLoader(load, {
    cache: false,
    maxBatchSize: MAX_SHARERS,
    batchScheduleFn: setImmediate,
  });
  return (key) => loader.load(key);
}
