/**
 * The TypeORM command line on this service's data source.
 *
 *   npm run migration:generate NAME     writes src/migrations/<timestamp>-NAME.ts and lists it
 *   npm run migration:run               runs what is pending
 *   npm run migration:revert            takes the last one back
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, createDatabase } from './database.mjs';
import {
  ensureSecrets,
  isEmbedded,
  loadEnvironment,
  PROJECT_ROOT,
  runScript,
  ScriptError,
  withDatabase,
} from './project-env.mjs';

const USAGE = 'usage: node scripts/migration.mjs generate NAME | run | revert';
const FOLDER = path.join(PROJECT_ROOT, 'src', 'migrations');
const require = createRequire(import.meta.url);

/**
 * @param {string[]} args
 * @param {{ quiet?: boolean }} [options] quiet: the output is shown only when it failed
 */
async function typeorm(args, { quiet = false } = {}) {
  const cli = require.resolve('typeorm/cli-ts-node-commonjs.js');
  const child = spawn(process.execPath, [cli, ...args, '-d', 'scripts/data-source.ts'], {
    cwd: PROJECT_ROOT,
    env: { TS_NODE_TRANSPILE_ONLY: 'true', ...process.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    from.on('data', (chunk) => {
      output += chunk;
      if (!quiet) to.write(chunk);
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) {
    if (/No changes in database schema/.test(output)) {
      throw new ScriptError('nothing to generate: the entities and the database agree');
    }
    if (quiet) process.stderr.write(output);
    throw new ScriptError(`typeorm ${args[0]} failed`);
  }
}

/** Runs the pending migrations on the database of the environment. */
export async function runMigrations({ quiet = false } = {}) {
  if (quiet && (await allRun())) return;
  await typeorm(['migration:run', '-t', 'each'], { quiet });
}

/** Compares names only: three seconds of compiling are saved at each start with nothing to do. */
async function allRun() {
  const client = await connect();
  try {
    const { rows } = await client.query('SELECT "timestamp"::text FROM migrations');
    const run = new Set(rows.map((row) => row.timestamp));
    return timestamps().every((timestamp) => run.has(timestamp));
  } catch (error) {
    if (error.code === '42P01') return false; // no migrations table: none ran yet
    throw error;
  } finally {
    await client.end();
  }
}

function timestamps() {
  return migrationFiles().map((name) => name.split('-', 1)[0]);
}

function migrationFiles() {
  return fs.readdirSync(FOLDER).filter((name) => /^\d+-.*\.ts$/.test(name));
}

/** @param {string} name */
async function generate(name) {
  const before = new Set(migrationFiles());
  // What is not migrated yet would otherwise be generated a second time.
  await runMigrations({ quiet: true });
  await typeorm(['migration:generate', path.join('src', 'migrations', name)], { quiet: true });
  for (const file of migrationFiles().filter((one) => !before.has(one))) {
    await tidy(path.join(FOLDER, file));
    await list(file);
    console.log(`wrote src/migrations/${file}: read it, name its constraints, check its down`);
  }
}

/**
 * Adds a migration to src/migrations/index.ts: only what is listed there runs.
 * @param {string} file
 */
async function list(file) {
  const index = path.join(FOLDER, 'index.ts');
  const className = /export class (\w+)/.exec(
    fs.readFileSync(path.join(FOLDER, file), 'utf8'),
  )?.[1];
  const text = fs.existsSync(index) ? fs.readFileSync(index, 'utf8') : '';
  const array = /(export const migrations\b[^=]*=\s*\[)([^\]]*)\]/;
  const found = array.exec(text);
  if (!className || !found) {
    console.log(`add src/migrations/${file} to the list of migrations`);
    return;
  }
  const entries = found[2].trim().replace(/,$/, '');
  const statement = `import { ${className} } from './${path.basename(file, '.ts')}';\n`;
  const imports = text.lastIndexOf('\nimport ');
  const afterImports = imports < 0 ? 0 : text.indexOf('\n', imports + 1) + 1;
  const withImport = text.startsWith('import ')
    ? text.slice(0, Math.max(afterImports, text.indexOf('\n') + 1)) +
      statement +
      text.slice(Math.max(afterImports, text.indexOf('\n') + 1))
    : statement + text;
  const listed = withImport.replace(
    array,
    (_, head) => `${head}${entries ? `${entries}, ` : ''}${className}]`,
  );
  fs.writeFileSync(index, listed);
  await format(index);
}

/**
 * TypeORM's template imports two interfaces as if they were values, which the lint refuses.
 * @param {string} file
 */
async function tidy(file) {
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(
    file,
    text.replace(/^import \{ MigrationInterface/m, 'import type { MigrationInterface'),
  );
  await format(file);
}

/** @param {string} file */
async function format(file) {
  const prettier = await import('prettier');
  const options = await prettier.resolveConfig(file);
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, await prettier.format(text, { ...options, filepath: file }));
}

async function main() {
  const [action, name, ...rest] = process.argv.slice(2);
  const known = action === 'generate' || ((action === 'run' || action === 'revert') && !name);
  if (!known || rest.length > 0) throw new ScriptError(USAGE);
  if (action === 'generate' && !/^[A-Za-z][A-Za-z0-9]{0,99}$/.test(name ?? '')) {
    throw new ScriptError('NAME must be letters and digits, as in npm run migration:generate AddX');
  }
  loadEnvironment();
  const ownServer = isEmbedded();
  await withDatabase(async () => {
    await ensureSecrets();
    if (ownServer) await createDatabase();
    // A database that is missing or out of reach is said in one line, not in the CLI's twenty.
    else await (await connect()).end();
    if (action === 'generate') await generate(name);
    else if (action === 'run') await runMigrations();
    else await typeorm(['migration:revert', '-t', 'each']);
  });
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(main);
}
