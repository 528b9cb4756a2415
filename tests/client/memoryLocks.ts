interface Options {
  ifAvailable?: boolean;
  signal?: AbortSignal;
}

type Task = (lock: object | null) => unknown;

/** The part of the Web Locks API that the client uses; Node has it from version 24 on. */
export function memoryLocks() {
  const held = new Set<string>();
  const waiting: { name: string; start: () => void }[] = [];

  const hold = async (name: string, task: Task): Promise<unknown> => {
    held.add(name);
    try {
      return await task({ name });
    } finally {
      held.delete(name);
      const next = waiting.findIndex((entry) => entry.name === name);
      if (next >= 0) waiting.splice(next, 1)[0]?.start();
    }
  };

  return {
    request(name: string, { ifAvailable = false, signal }: Options, task: Task): Promise<unknown> {
      if (!held.has(name)) return hold(name, task);
      if (ifAvailable) return Promise.resolve(task(null));
      return new Promise((resolve, reject) => {
        const entry = {
          name,
          start: () => {
            resolve(hold(name, task));
          },
        };
        waiting.push(entry);
        signal?.addEventListener('abort', () => {
          const index = waiting.indexOf(entry);
          if (index < 0) return;
          waiting.splice(index, 1);
          reject(signal.reason as Error);
        });
      });
    },
  };
}
