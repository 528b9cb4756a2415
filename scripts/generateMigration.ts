import fs from 'node:fs';
import path from 'node:path';
import type { Query } from 'typeorm/driver/Query';
import { CommandError } from '../src/commands/CommandError';
import { databaseLabel } from '../src/commands/databaseLabel';
import { runCommand } from '../src/commands/runCommand';
import { withDatabase } from '../src/commands/withDatabase';
import { loadDatabaseConfig } from '../src/config';
import { PROJECT_ROOT } from '../src/config/projectRoot';
import { runMigrations } from '../src/database/runMigrations';

const FOLDER = path.join(PROJECT_ROOT, 'src', 'migrations');
const NAME = /^[A-Za-z][A-Za-z0-9]{0,99}$/;

/** Writes a migration from the difference between the entities and the database. */
void runCommand(async ([name = '', ...rest]) => {
  if (!NAME.test(name) || rest.length > 0)
    throw new CommandError('usage: npm run migration:generate AddX (letters and digits only)');
  const { database } = loadDatabaseConfig();
  return withDatabase(database, async (dataSource) => {
    // Otherwise what is pending would be generated a second time.
    await runMigrations(dataSource);
    const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
    if (upQueries.length === 0)
      throw new CommandError(`nothing to generate: entities and ${databaseLabel(database)} agree`);
    const timestamp = Date.now();
    const file = `${timestamp}-${name}.ts`;
    await write(file, migration(`${name}${timestamp}`, upQueries, downQueries.toReversed()));
    await write('index.ts', index());
    return `wrote src/migrations/${file}: review it, name its constraints, and test its down`;
  });
});

function migration(className: string, up: Query[], down: Query[]): string {
  const statements = (queries: Query[]) =>
    queries
      .map(({ query, parameters }) => JSON.stringify(parameters ? [query, parameters] : [query]))
      .map((args) => `await queryRunner.query(${args.slice(1, -1)});`)
      .join('\n');
  return `
    import type { MigrationInterface, QueryRunner } from 'typeorm';

    export class ${className} implements MigrationInterface {
      async up(queryRunner: QueryRunner): Promise<void> {
        ${statements(up)}
      }

      async down(queryRunner: QueryRunner): Promise<void> {
        ${statements(down)}
      }
    }
  `;
}

/** The list of the migrations in the folder; each class is named like its file. */
function index(): string {
  const files = fs.readdirSync(FOLDER).filter((file) => file !== 'index.ts');
  const modules = files.sort().map((file) => path.parse(file).name);
  const classOf = (module: string) => module.split('-').reverse().join('');
  return `
    ${modules.map((module) => `import { ${classOf(module)} } from './${module}';`).join('\n')}

    /**
     * Every migration, in order. A list, because a path pattern would differ between src and dist;
     * \`npm run migration:generate\` writes it from the names of the files.
     */
    export const migrations = [${modules.map(classOf).join(', ')}];
  `;
}

async function write(name: string, text: string): Promise<void> {
  const file = path.join(FOLDER, name);
  const prettier = await import('prettier');
  const options = await prettier.resolveConfig(file);
  fs.writeFileSync(file, await prettier.format(text, { ...options, filepath: file }));
}
