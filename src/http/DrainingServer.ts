import type { RequestListener, Server } from 'node:http';
import { createServer as createSocket, type Server as NetServer } from 'node:net';
import { setImmediate as afterReads, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Express } from 'express';
import type { Config } from '../config';
import type { Logger } from '../config/logger';
import type { Lifecycle } from '../types/lifecycle';
import { expressMessages } from './expressMessages';
import { createHttpServer } from './httpServer';
import { listening } from './listening';

/** The longest wait for idle connections, in seconds. */
const MAX_GRACE = 5;
/** In milliseconds. */
const DRAIN_POLL = 50;
const DRAIN_HOLD = 100;

type Settings = Pick<Config, 'environment' | 'keepAliveTimeout'> & { logger: Logger };

/** An HTTP server that stops without resetting a request. */
export class DrainingServer {
  private readonly server: Server;
  /** One for each host after the first. */
  private readonly sockets: NetServer[] = [];
  private held: Promise<void> | undefined;

  constructor(
    app: Express,
    private readonly lifecycle: Lifecycle,
    { environment, keepAliveTimeout, logger }: Settings,
  ) {
    const listener: RequestListener = (req, res) => {
      // Otherwise a client that keeps its connection would keep the process alive.
      if (lifecycle.draining) res.setHeader('Connection', 'close');
      const begin = () => void app(req, res);
      if (this.held) void this.held.then(begin);
      else begin();
    };
    this.server = createHttpServer(listener, {
      ...expressMessages(app),
      environment,
      logger,
      keepAliveTimeout: keepAliveTimeout * 1000,
    });
  }

  /**
   * Listens on all interfaces, or on the first host and each further one that the machine has.
   * @throws {Error} if the port cannot be used, with what to do about it.
   */
  async listen(port: number, [first, ...further]: readonly string[] = []): Promise<void> {
    const setting = 'PORT';
    await listening(this.server, { port, host: first, setting });
    for (const host of further) {
      // The HTTP server accepts connections of other sockets, and closes them with its own.
      const socket = createSocket({ allowHalfOpen: true, noDelay: true }, (connection) =>
        this.server.emit('connection', connection),
      );
      try {
        await listening(socket, { port, host, setting });
      } catch (error) {
        if (!isMissing((error as Error).cause)) throw error;
        continue;
      }
      this.sockets.push(socket);
    }
  }

  /**
   * Resolves when every request has its response and every connection is closed.
   *
   * For half of `seconds` at most, requests are still served and each response closes its connection: a
   * load balancer sends requests until it notices that the service is not ready. Then idle connections are
   * closed and no new ones are accepted. After `seconds` the rest is cut, and `onCut` is called.
   */
  async drain(seconds: number, onCut: () => void): Promise<void> {
    this.lifecycle.draining = true;
    const force = setTimeout(() => {
      onCut();
      this.server.closeAllConnections();
    }, seconds * 1000);
    await this.waitForIdleClients(Math.min(seconds / 2, MAX_GRACE) * 1000);
    await this.close();
    clearTimeout(force);
  }

  private async waitForIdleClients(milliseconds: number): Promise<void> {
    const end = Date.now() + milliseconds;
    while (Date.now() < end && (await this.countConnections()) > 0) await delay(DRAIN_POLL);
  }

  private async countConnections(): Promise<number> {
    const counts = [this.server, ...this.sockets].map((server) =>
      promisify(server.getConnections.bind(server))(),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  /** A closing socket resets connections that it has not accepted. Held responses keep clients from opening more. */
  private async close(): Promise<void> {
    let release: (() => void) | undefined;
    this.held = new Promise((resolve) => (release = resolve));
    await delay(DRAIN_HOLD);
    // Otherwise a request that has arrived but is not read yet would be reset.
    await afterReads();
    const closed = [this.server, ...this.sockets].map((server) =>
      promisify(server.close.bind(server))(),
    );
    release?.();
    await Promise.all(closed);
  }
}

const isMissing = (error: unknown) =>
  ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(String((error as NodeJS.ErrnoException).code));
