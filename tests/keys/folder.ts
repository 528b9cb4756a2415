import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { keySetOfFiles, readKeyFiles } from '../../src/keys/keyFiles';
import { KeyRotation } from '../../src/keys/KeyRotation';
import { KeyError, type KeySet } from '../../src/keys/keySet';
import { RotationError } from '../../src/keys/RotationError';

export interface Run {
  /** null if a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the keys command of a build with only these variables; `node` are options of Node. */
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

/** Runs a step on a folder in this process, with the same result as the command. */
export function rotate(dir: string, [step = '', flag]: string[]): Run {
  const rotation = new KeyRotation(dir);
  const options = { force: flag === '--force' };
  try {
    const stdout = rotation[step as 'publish' | 'activate' | 'retire' | 'status'](options);
    return { code: 0, stdout, stderr: '' };
  } catch (error) {
    if (!(error instanceof RotationError) && !(error instanceof KeyError)) throw error;
    return { code: 1, stdout: '', stderr: `${error.message}\n` };
  }
}

/** Runs the command on a folder, and kills it at its nth change. */
export function rotateKilled(dir: string, step: string, killAt: number): Promise<Run> {
  const environment = { CERTS_DIR: dir, KILL_AT: String(killAt) };
  const hook = ['--import', path.join(__dirname, 'killAt.mjs')];
  return keysCommand(process.env.TEST_BUILD ?? '', [step], environment, hook);
}

/** The key set of a service that starts now. */
export async function setOf(dir: string): Promise<KeySet> {
  return keySetOfFiles(dir, await readKeyFiles(dir));
}

/** Moves all times in keys.json this many seconds into the past. */
export function backdate(dir: string, seconds: number): void {
  const file = path.join(dir, 'keys.json');
  const text = readFileSync(file, 'utf8').replace(/"(\d{4}-[^"]+Z)"/g, (_all, time: string) =>
    JSON.stringify(new Date(Date.parse(time) - seconds * 1000)),
  );
  writeFileSync(file, text);
}
