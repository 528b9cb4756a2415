import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = path.resolve(__dirname, '../..');

type Settings = Record<string, string>;

/** The environment without what this test run, or the shell around it, has set for the service. */
function environment(settings: Settings): NodeJS.ProcessEnv {
  const ours = /^(DB_|NODE_ENV$|PORT$|REFRESH_JWT_SECRET$|CERTS_DIR$|AUTH_DATA_DIR$|npm_lifecycle)/;
  const rest = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(rest), ...settings };
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs node to its end. */
export function node(args: string[], settings: Settings = {}, input = ''): Outcome {
  const run = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: environment(settings),
    encoding: 'utf8',
    input,
  });
  return { code: run.status, stdout: run.stdout, stderr: run.stderr };
}

/** A process that runs beside the test, with what it has printed so far. */
export interface Running {
  child: ChildProcess;
  pid: number;
  output(): string;
  exited: Promise<number | null>;
}

/** Starts a command in a process group of its own, as a terminal would. */
export function start(file: string, args: string[], settings: Settings, cwd = ROOT): Running {
  const child = spawn(file, args, {
    cwd,
    env: environment(settings),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, pid: child.pid ?? 0, output: () => output, exited };
}

/** Waits for a condition; what has not come true in time is an error that says what was missing. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${what}`);
    await sleep(25);
  }
}

/** Waits until a running process has printed something; it fails at once when that one ends. */
export async function printed(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  await until(`${pattern.source} in: ${running.output()}`, () => {
    if (pattern.test(running.output())) return true;
    if (running.child.exitCode !== null) throw new Error(`ended: ${running.output()}`);
    return false;
  });
  const found = pattern.exec(running.output());
  if (!found) throw new Error('unreachable');
  return found;
}

export function isUp(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

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

/** A temp folder that other users may enter: as root the database runs as one of them. */
export function tempFolder(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'auth-service-scripts-'));
  chmodSync(dir, 0o755);
  return dir;
}

/** A tree with the service in it that a test may change. */
export function copyOfTree(): string {
  const dir = tempFolder();
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json']) {
    cpSync(path.join(ROOT, name), path.join(dir, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
  return dir;
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** The process number of the PostgreSQL that is up on a data folder. */
export function postmaster(dataDir: string): number {
  return Number(readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n', 1)[0]);
}
