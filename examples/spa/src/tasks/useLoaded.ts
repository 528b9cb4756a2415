import { useCallback, useEffect, useState } from 'react';

/** Loads something when a view opens. `load` must be the same function at each rendering. */
export function useLoaded<T>(load: () => Promise<T>) {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<unknown>();
  const reload = useCallback(async () => {
    try {
      setValue(await load());
      setError(undefined);
    } catch (problem) {
      setError(problem);
    }
  }, [load]);
  useEffect(() => void reload(), [reload]);
  return { value, error, reload };
}
