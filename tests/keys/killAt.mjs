// Loaded before a command with --import: kills the process at its KILL_AT-th change to the disk.
import fs from 'node:fs';

const disk = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (
  /** @type {unknown} */ (fs)
);
const CHANGES = ['writeFileSync', 'linkSync', 'renameSync', 'unlinkSync', 'rmSync'];
let left = Number(process.env.KILL_AT);

for (const name of CHANGES) {
  const change = disk[name];
  disk[name] = (/** @type {unknown[]} */ ...args) => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    return change?.(...args);
  };
}
