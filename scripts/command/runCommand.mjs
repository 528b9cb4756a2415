import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { PROJECT_ROOT } from '../folders.mjs';

const require = createRequire(import.meta.url);

/**
 * Runs a command, and passes signals on to it.
 * @param {string} name
 * @param {string[]} args
 * @param {'inherit' | 'ignore'} stdout
 * @returns {Promise<number>} the exit code
 */
export async function runCommand(name, args, stdout) {
  const command = [...program(name), ...args];
  const child = spawn(process.execPath, command, {
    cwd: PROJECT_ROOT,
    stdio: ['inherit', stdout, 'inherit'],
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => child.kill(signal));
  }
  const [code] = await once(child, 'close');
  return code ?? 1;
}

/**
 * The source if ts-node is installed, otherwise the build.
 * @param {string} name
 */
function program(name) {
  const folder = name === 'generateMigration' ? 'scripts' : 'src/commands';
  try {
    return ['-r', require.resolve('ts-node/register/transpile-only'), `${folder}/${name}.ts`];
  } catch {
    return [`dist/commands/${name}.js`];
  }
}
