import { loadConfig } from '../config';
import { createDataSource, MIGRATION_OPTIONS } from '../config/data-source';

/** Any number will do, as long as it is this service's own. */
const LOCK = 4_701_237;

/** Runs the pending migrations; of several replicas that start at once, one, while the others wait. */
async function main(): Promise<void> {
  const dataSource = await createDataSource(loadConfig().database, MIGRATION_OPTIONS).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [LOCK]);
    const run = await dataSource.runMigrations({ transaction: 'each' });
    process.stdout.write(`${run.length} migrations run\n`);
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : '';
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
});
