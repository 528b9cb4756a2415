import { readFileSync } from 'node:fs';
import os from 'node:os';

/** From the kernel, because `os.cpus()` is empty on some machines. */
function cpuModel() {
  return os.cpus()[0]?.model.trim() || 'unknown CPU';
}

/** @param {string} name of a dependency of this suite */
function versionOf(name) {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/**
 * What a measurement ran on.
 * @param {import('./workbench.mjs').Workbench} bench
 */
export async function describeMachine(bench) {
  return {
    date: new Date().toISOString(),
    cores: os.availableParallelism(),
    cpu: cpuModel(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`,
    node: process.versions.node,
    postgresql: await bench.postgresVersion(),
    libraries: Object.fromEntries(
      ['express', 'better-auth', 'passport', 'express-session', 'typeorm', 'bcrypt'].map((name) => [
        name,
        versionOf(name),
      ]),
    ),
  };
}

/** @typedef {Awaited<ReturnType<typeof describeMachine>>} Machine */

/** @param {Machine} machine */
export function machineLine({ cores, cpu, memoryGiB, system, node, postgresql, libraries }) {
  const versions = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
  return (
    `${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node ${node}, PostgreSQL ${postgresql}; ` +
    `${versions.join(', ')}. Load generator and database share the cores with the servers.`
  );
}
