/**
 * Runs a command of src/commands/ from a checkout: `node scripts/command.mjs NAME [arguments]`. In dev
 * and test it starts the embedded PostgreSQL first, unless DB_HOST or DATABASE_URL is set.
 */
import { runCommand } from './command/runCommand.mjs';
import { ensureDatabase } from './environment/ensureDatabase.mjs';
import { ensureSecrets } from './environment/ensureSecrets.mjs';
import { loadEnvironment } from './environment/loadEnvironment.mjs';
import { runScript } from './runScript.mjs';
import { ScriptError } from './ScriptError.mjs';

/** By the environment if NODE_ENV is not set: the one of `npm run dev` or of `npm start`. */
const COMMANDS = { dev: ['database', 'generateMigration', 'migrate'], prod: ['keys', 'purge'] };

await runScript(async () => {
  const [name = '', ...args] = process.argv.slice(2);
  const all = Object.values(COMMANDS).flat();
  if (!all.includes(name)) {
    throw new ScriptError(`usage: node scripts/command.mjs ${all.join(' | ')}`);
  }
  loadEnvironment(process.env.NODE_ENV || (COMMANDS.prod.includes(name) ? 'prod' : 'dev'));
  if (name === 'purge' && process.env.NODE_ENV !== 'prod') await ensureSecrets();
  const server = name === 'keys' ? undefined : await ensureDatabase(console.error);
  try {
    if (server && name !== 'database') await runCommand('database', ['create'], 'ignore');
    process.exitCode = await runCommand(name, args, 'inherit');
  } finally {
    await server?.stop();
  }
});
