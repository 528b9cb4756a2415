/** Stops the run's PostgreSQL; a watching Jest keeps it until it ends itself. */
export default async function globalTeardown({
  watch,
  watchAll,
}: {
  watch: boolean;
  watchAll: boolean;
}): Promise<void> {
  if (watch || watchAll) return;
  await globalThis.embeddedPostgres?.stop();
}
