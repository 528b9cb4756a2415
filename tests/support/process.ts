import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Config } from '../../src/config';
import { cookieHeader, type Tokens } from './client';
import { environmentFor, type LogLine } from './service';

/** A folder with a key pair, as an operator has it. */
export function certsDir(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'auth-service-certs-'));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(path.join(dir, 'private.pem'), privateKey, { mode: 0o600 });
  writeFileSync(path.join(dir, 'public.pem'), publicKey);
  return dir;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `condition` holds: it is asked again and again, for `limit` milliseconds at most. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limit = 15_000,
): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  tokens: Tokens;
  /** Whether it clears both cookies. */
  cleared: boolean;
}

/** A process of the built service. */
export class ServiceProcess {
  readonly logs: LogLine[] = [];
  stderr = '';
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;

  private constructor(
    readonly port: number,
    environment: NodeJS.ProcessEnv,
    entry: string,
  ) {
    this.child = spawn(process.execPath, [entry], {
      env: { PATH: process.env.PATH, ...environment },
    });
    this.exited = once(this.child, 'exit');
    let rest = '';
    this.child.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.logs.push(JSON.parse(line) as LogLine);
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  /**
   * Starts one in prod mode on this database; `overrides` are variables, `project` is a folder with a
   * build of its own. Resolves when it is ready.
   */
  static async start(
    database: Config['database'],
    overrides: NodeJS.ProcessEnv = {},
    project?: string,
  ): Promise<ServiceProcess> {
    const started = await ServiceProcess.spawn(database, overrides, project);
    await until(async () => (await started.get('/health/ready')).status === 200, 'ready');
    return started;
  }

  /** The same, without waiting. */
  static async spawn(
    database: Config['database'],
    overrides: NodeJS.ProcessEnv = {},
    project?: string,
  ): Promise<ServiceProcess> {
    const port = await freePort();
    const environment = environmentFor(database, {
      NODE_ENV: 'prod',
      PORT: String(port),
      CLIENT_UI_DOMAIN: 'http://localhost:5173',
      JWT_ISSUER: 'http://auth.test',
      COOKIE_SECURE: 'false',
      CERTS_DIR: overrides.CERTS_DIR ?? (project === undefined ? certsDir() : undefined),
      ...overrides,
    });
    const build = project === undefined ? process.env.TEST_BUILD : path.join(project, 'dist');
    return new ServiceProcess(port, environment, path.join(build ?? '', 'server.js'));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }

  get(path: string, tokens: Tokens = {}): Promise<Answer> {
    return this.send('GET', path, tokens);
  }

  post(path: string, tokens: Tokens = {}, body?: object): Promise<Answer> {
    return this.send('POST', path, tokens, body);
  }

  /** An answer of status 0 says that there was none: the connection failed. */
  async send(method: string, path: string, tokens: Tokens, body?: object): Promise<Answer> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
        method,
        headers: { Cookie: cookieHeader(tokens), 'Content-Type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const cookies = response.headers.getSetCookie();
      const value = (name: string) =>
        cookies.find((cookie) => cookie.startsWith(`${name}=`))?.split(/[=;]/)[1];
      return {
        status: response.status,
        headers: response.headers,
        body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
        tokens: { access: value('access_token'), refresh: value('refresh_token') },
        cleared: value('access_token') === '' && value('refresh_token') === '',
      };
    } catch {
      return { status: 0, headers: new Headers(), body: {}, tokens: {}, cleared: false };
    }
  }

  /** Sends a signal and resolves to the exit code, which is null where the signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    await this.exited;
    return this.child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}
