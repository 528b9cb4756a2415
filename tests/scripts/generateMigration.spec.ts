import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../harness/root';
import { runNode } from '../harness/runNode';
import { createDatabase } from '../support/service';
import { copyOfTree } from './processes';

jest.setTimeout(120_000);

describe('npm run migration:generate', () => {
  let tree: string;
  let settings: Record<string, string>;
  beforeEach(async () => {
    tree = copyOfTree();
    cpSync(path.join(ROOT, '.prettierrc'), path.join(tree, '.prettierrc'));
    const database = await createDatabase('template1');
    settings = {
      NODE_ENV: 'dev',
      DB_HOST: database.host,
      DB_PORT: String(database.port),
      DB_USERNAME: database.username,
      DB_PASSWORD: database.password,
      DB_NAME: database.name,
    };
  });
  afterEach(() => {
    rmSync(tree, { recursive: true });
  });

  const command = (...args: string[]) =>
    runNode([path.join(tree, 'scripts/command.mjs'), ...args], settings);
  const migrations = () => path.join(tree, 'src/migrations');
  const read = (file: string) => readFileSync(path.join(migrations(), file), 'utf8');

  describe('when an entity has a new column', () => {
    it('writes a migration that runs and reverts as it is, and lists it', () => {
      const entity = path.join(tree, 'src/entity/User.ts');
      const text = readFileSync(entity, 'utf8');
      const column = "@Column('varchar', { length: 9, default: '`${new}`' })\n  nick!: string;";
      writeFileSync(entity, text.replace(/\}\s*$/, `\n  ${column}\n}\n`));
      const before = readdirSync(migrations());

      const outcome = command('generateMigration', 'AddNick');
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      const [file = ''] = readdirSync(migrations()).filter((name) => !before.includes(name));
      expect(file).toMatch(/^\d{13}-AddNick\.ts$/);
      expect(outcome.stdout).toContain(`src/migrations/${file}`);
      const className = `AddNick${file.split('-')[0] ?? ''}`;
      expect(read(file)).toMatch(/^import type \{ MigrationInterface, QueryRunner \}/);
      expect(read(file)).toContain(`export class ${className} implements MigrationInterface`);
      expect(read('index.ts')).toContain(`import { ${className} } from './${file.slice(0, -3)}'`);

      expect(command('migrate', 'run').stdout).toMatch(/^1 migrations run in /);
      expect(command('generateMigration', 'Again').stderr).toMatch(/^nothing to generate: /);
      expect(command('migrate', 'revert').stdout).toMatch(`reverted ${className} in `);
      expect(command('migrate', 'run').stdout).toMatch(/^1 migrations run in /);
    });
  });

  describe('when the entities and the migrations agree', () => {
    it('runs the pending migrations first, says so in one line, and writes nothing', () => {
      const before = readdirSync(migrations()).map(read);
      const outcome = command('generateMigration', 'Nothing');
      expect(outcome).toMatchObject({ code: 1, stdout: '' });
      expect(outcome.stderr).toMatch(/^nothing to generate: [^\n]*\n$/);
      expect(readdirSync(migrations()).map(read)).toEqual(before);
      expect(command('migrate', 'run').stdout).toMatch(/^0 migrations run in /);
    });
  });

  it.each([[''], ['add-x'], ['../x']])('refuses the name %j', (name) => {
    const outcome = command('generateMigration', name);
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toMatch(/^usage: [^\n]*\n$/);
  });
});
