import { availableParallelism } from 'node:os';

/** Password hashes that run at once: one a core. */
export const HASH_THREADS = availableParallelism();

/**
 * Makes libuv's thread pool larger than the hashes can fill, so that DNS, files and signatures keep
 * threads of their own. To be called before anything has used the pool: it is made at its first use.
 */
export function sizeThreadPool(): void {
  process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, HASH_THREADS + 2));
}
