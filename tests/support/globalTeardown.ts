/** Stops the run's PostgreSQL; Jest in watch mode keeps it. Folders are removed when Jest ends. */
export default async function globalTeardown({
  watch,
  watchAll,
}: {
  watch: boolean;
  watchAll: boolean;
}): Promise<void> {
  if (!watch && !watchAll) await globalThis.embeddedPostgres?.stop();
}
