import { loadConfig } from '../src/config';
import { createDataSource, MIGRATION_OPTIONS } from '../src/config/data-source';

/** The data source that the TypeORM command line works on; its file may export nothing else. */
export default createDataSource(loadConfig().database, MIGRATION_OPTIONS);
