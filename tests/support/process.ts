import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Config } from '../../src/config';
import { certsDir } from '../harness/certsDir';
import { cookieHeader } from '../harness/cookieHeader';
import type { Program } from '../harness/Program';
import { startService } from '../harness/startService';
import { tokensOf } from '../harness/tokensOf';
import type { Tokens } from './client';
import type { LogLine } from './capturingLogger';
import { observe } from './observe';
import { pooled } from './pooled';
import { environmentFor } from './service';

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  tokens: Tokens;
  /** Whether the response clears both cookies. */
  cleared: boolean;
}

/** A process of the built service. */
export class ServiceProcess {
  readonly logs: LogLine[] = [];
  stderr = '';

  private constructor(
    private readonly program: Program,
    readonly port: number,
    private readonly origin: string,
  ) {
    const { stdout, stderr } = program.child;
    if (!stdout || !stderr) throw new Error('the output of the service goes elsewhere');
    createInterface(stdout).on('line', (line) => this.logs.push(JSON.parse(line) as LogLine));
    stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
  }

  /**
   * Starts one in prod mode on this database; resolves when it is ready. `overrides` are variables, `project`
   * is a folder with its own build.
   */
  static async start(
    database: Config['database'],
    overrides: NodeJS.ProcessEnv = {},
    project?: string,
  ): Promise<ServiceProcess> {
    const started = await ServiceProcess.spawn(database, overrides, project);
    await started.program.responds(`${started.origin}/health/ready`, 200);
    return started;
  }

  /** The same without waiting. */
  static async spawn(
    database: Config['database'],
    overrides: NodeJS.ProcessEnv = {},
    project?: string,
  ): Promise<ServiceProcess> {
    const env = environmentFor(pooled(database), {
      NODE_ENV: 'prod',
      CLIENT_UI_DOMAIN: 'http://localhost:5173',
      JWT_ISSUER: 'http://auth.test',
      COOKIE_SECURE: 'false',
      // The connections that fetch keeps idle would hold each stop for five seconds.
      DRAIN_TIMEOUT_SECONDS: '1',
      CERTS_DIR: overrides.CERTS_DIR ?? (project === undefined ? certsDir() : undefined),
      ...overrides,
    });
    const dist = project === undefined ? process.env.TEST_BUILD : path.join(project, 'dist');
    const { program, port, origin } = await startService({ env, dist });
    return new ServiceProcess(program, port, origin);
  }

  get pid(): number {
    return this.program.pid;
  }

  get exitCode(): number | null {
    return this.program.child.exitCode;
  }

  get(path: string, tokens: Tokens = {}): Promise<Answer> {
    return this.send('GET', path, tokens);
  }

  post(path: string, tokens: Tokens = {}, body?: object): Promise<Answer> {
    return this.send('POST', path, tokens, body);
  }

  /** A status of 0 means that the connection failed. */
  async send(method: string, path: string, tokens: Tokens, body?: object): Promise<Answer> {
    try {
      const response = await fetch(`${this.origin}${path}`, {
        method,
        headers: { Cookie: cookieHeader(tokens), 'Content-Type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const { status, headers } = response;
      const fields = { ...Object.fromEntries(headers), 'set-cookie': headers.getSetCookie() };
      observe({ method, url: path, status, headers: fields, body: text });
      const set = tokensOf(headers.getSetCookie());
      return {
        status,
        headers,
        body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
        tokens: set,
        cleared: set.access === '' && set.refresh === '',
      };
    } catch {
      return { status: 0, headers: new Headers(), body: {}, tokens: {}, cleared: false };
    }
  }

  /** Sends a signal; resolves to the exit code, or null if the signal ended the process. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    return this.program.stop(signal);
  }

  signal(signal: NodeJS.Signals): void {
    this.program.child.kill(signal);
  }
}
