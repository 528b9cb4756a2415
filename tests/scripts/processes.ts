import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../harness/root';
import { tempFolder } from '../harness/tempFolder';

/** Every process that has inherited this text in its environment, however far down the tree. */
export function processesWith(text: string): number[] {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-AwwE', '-o', 'pid=,command='], { encoding: 'utf8' });
    const lines = stdout.split('\n').filter((line) => line.includes(text));
    return lines.map((line) => Number.parseInt(line, 10));
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
      } catch {
        return false; // ended meanwhile, or another user's
      }
    })
    .map(Number);
}

/** A tree with the service in it that a test may change. */
export function copyOfTree(): string {
  const dir = tempFolder('tree');
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json']) {
    cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  return dir;
}

/** The process number of the PostgreSQL that is up on a data folder. */
export function postmaster(dataDir: string): number {
  return Number(readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
}
