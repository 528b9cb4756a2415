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

/** In seconds: how long idle connections are waited for at most. */
const MAX_GRACE = 5;
/** In milliseconds: between two looks at the open connections, and before the socket closes. */
const DRAIN_POLL = 50;
const DRAIN_HOLD = 100;

type Settings = Pick<Config, 'environment' | 'keepAliveTimeout'> & { logger: Logger };

/** An HTTP server for an application that stops without resetting a request. */
export class DrainingServer {
  private readonly server: Server;
  /** For the hosts after the first. */
  private readonly sockets: NetServer[] = [];
  private held: Promise<void> | undefined;

  constructor(
    app: Express,
    private readonly lifecycle: Lifecycle,
    { environment, keepAliveTimeout, logger }: Settings,
  ) {
    const listener: RequestListener = (req, res) => {
      // Otherwise a client that keeps its connection would keep the process.
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
   * Listens on each of `hosts`, or on all interfaces. A machine without IPv6 has no ::1: the first host
   * is enough then.
   * @throws {Error} if the port cannot be used, with what to do about it.
   */
  async listen(port: number, [first, ...further]: readonly string[] = []): Promise<void> {
    const setting = 'PORT';
    await listening(this.server, { port, host: first, setting });
    for (const host of further) {
      // HTTP takes connections of other sockets, and closes them with its own.
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
   * An idle connection is not closed at once, because a request may be on its way: a load balancer keeps
   * connections, and sends requests until it has seen that the service is not ready. So for at most half
   * of `seconds` requests are served as before, and each response closes its connection. Then idle
   * connections are closed, and no new one is accepted. After `seconds` the remaining connections are
   * cut, and `onCut` is called.
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

  /**
   * The kernel resets connections that it has established and the server has not accepted when the
   * socket closes. While responses are held back, clients have no reason to connect again, and the
   * connections that wait are accepted.
   */
  private async close(): Promise<void> {
    let release: (() => void) | undefined;
    this.held = new Promise((resolve) => (release = resolve));
    await delay(DRAIN_HOLD);
    // An idle connection whose request has arrived, and is not read yet, would be reset.
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
