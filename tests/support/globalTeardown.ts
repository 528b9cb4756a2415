import { rm } from 'node:fs/promises';

/** Stops the run's PostgreSQL and removes what it left; a watching Jest keeps both until it ends. */
export default async function globalTeardown({
  watch,
  watchAll,
}: {
  watch: boolean;
  watchAll: boolean;
}): Promise<void> {
  if (watch || watchAll) return;
  const server = globalThis.embeddedPostgres;
  await server?.stop();
  for (const dir of [process.env.TEST_BUILD, server?.dataDir])
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
}
