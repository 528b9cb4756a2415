/** Stops the run's PostgreSQL, except in watch mode. Folders are removed when Jest ends. */
export default async function globalTeardown({
  watch,
  watchAll,
}: {
  watch: boolean;
  watchAll: boolean;
}): Promise<void> {
  if (!watch && !watchAll) await globalThis.embeddedPostgres?.stop();
}
