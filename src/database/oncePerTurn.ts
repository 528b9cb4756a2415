import DataLoader from 'dataloader';

const MAX_SHARERS = 100;

/** Lets the calls of one turn of the event loop share one `load`, which must keep the order. Caches nothing. */
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
