import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keySetOfFiles, readKeyFiles } from '../../src/keys/keyFiles';
import type { KeySet } from '../../src/keys/keySet';

export interface Run {
  /** null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the keys command of a build, with these variables alone; `node` are options of Node. */
export async function keysCommand(
  build: string,
  args: string[],
  environment: Record<string, string> = {},
  node: string[] = [],
): Promise<Run> {
  const child = spawn(process.execPath, [...node, path.join(build, 'commands/keys.js'), ...args], {
    env: { PATH: process.env.PATH, ...environment },
  });
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (run.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (run.stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { ...run, code };
}

/** Runs a step of the rotation on a folder; with `killAt` it is killed at its n-th change. */
export function rotate(dir: string, args: string[], killAt?: number): Promise<Run> {
  const hook = killAt === undefined ? [] : ['--import', path.join(__dirname, 'killAt.mjs')];
  const environment = { CERTS_DIR: dir, KILL_AT: String(killAt) };
  return keysCommand(process.env.TEST_BUILD ?? '', args, environment, hook);
}

/** The set that a service which starts now would have. */
export async function setOf(dir: string): Promise<KeySet> {
  return keySetOfFiles(dir, await readKeyFiles(dir));
}

/** Lets all times in keys.json be this many seconds earlier, as if so much time had passed. */
export function backdate(dir: string, seconds: number): void {
  const file = path.join(dir, 'keys.json');
  const text = readFileSync(file, 'utf8').replace(/"(\d{4}-[^"]+Z)"/g, (_all, time: string) =>
    JSON.stringify(new Date(Date.parse(time) - seconds * 1000)),
  );
  writeFileSync(file, text);
}
