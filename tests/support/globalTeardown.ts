import { rm } from 'node:fs/promises';

/** Stops the run's PostgreSQL; a watching Jest keeps it until it ends itself. */
export default async function globalTeardown({
  watch,
  watchAll,
}: {
  watch: boolean;
  watchAll: boolean;
}): Promise<void> {
  if (watch || watchAll) return;
  await rm(process.env.TEST_BUILD ?? '', { recursive: true, force: true });
  await globalThis.embeddedPostgres?.stop();
}
