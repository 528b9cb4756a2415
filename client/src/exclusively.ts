/** The part of the Web Locks API that this file uses; types/node does not have it. */
interface LockManager {
  request<T>(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    task: (lock: unknown) => T | Promise<T>,
  ): Promise<T>;
}

/**
 * Runs a task while no other tab runs one with this name. `waited` says whether one has just run.
 *
 * It does not wait for longer than `timeout` milliseconds, because the other tab may be suspended, and
 * not at all without Web Locks (http to another host, old browsers). Two tabs may then run at the same
 * time, which the service allows.
 */
export async function exclusively<T>(
  name: string,
  timeout: number,
  task: (waited: boolean) => Promise<T>,
): Promise<T> {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (!locks) return task(false);
  let running: Promise<T> | undefined;
  const run = (waited: boolean) => (lock: unknown) =>
    lock === null ? undefined : (running = task(waited));
  try {
    await locks.request(name, { ifAvailable: true }, run(false));
    if (!running) await locks.request(name, { signal: AbortSignal.timeout(timeout) }, run(true));
  } catch {
    // Either the task has failed, which the last line passes on, or there is no lock to be had.
  }
  return running ?? task(true);
}
