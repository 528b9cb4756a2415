import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dataFolder } from '../folders.mjs';
import { processExists } from '../processExists.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { writeAtomically } from '../writeAtomically.mjs';

/**
 * Reserves the data folder for this process.
 * @returns {{ afterCrash: boolean, release: () => void }} `afterCrash`: the previous holder was killed,
 *   and what it had started may still be ending
 * @throws {ScriptError} that names the process that holds it
 */
export function takeLock() {
  const file = path.join(dataFolder(), 'dev.pid');
  const release = () => fs.rmSync(file, { force: true });
  fs.mkdirSync(dataFolder(), { recursive: true });
  for (let afterCrash = false; ; afterCrash = true) {
    if (writeAtomically(file, String(process.pid), 0o600)) return { afterCrash, release };
    const holder = Number(fs.readFileSync(file, 'utf8'));
    const isOfThisBoot = fs.statSync(file).mtimeMs > Date.now() - os.uptime() * 1_000;
    // In a new container the number may be our own, and after a reboot another's.
    if (isOfThisBoot && holder !== process.pid && processExists(holder)) {
      throw new ScriptError(`npm run dev is already running in this tree (pid ${holder})`);
    }
    release();
  }
}
