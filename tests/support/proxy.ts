import net from 'node:net';
import { testServer } from './testServer';

/** A connection to the run's PostgreSQL that can be cut. */
export interface DatabaseLine {
  port: number;
  /** Ends every connection and refuses new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Leaves the open connections without any more data, as a frozen server does; new ones work. */
  freeze(): void;
  /** For good. */
  stop(): Promise<void>;
}

export async function startLine(): Promise<DatabaseLine> {
  const { host, port } = testServer();
  const sockets = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect({ host, port });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      // Both halves end together.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const listen = (at: number) =>
    new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const own = (server.address() as net.AddressInfo).port;
  const cut = () =>
    new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.destroy();
    });
  const freeze = () => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { port: own, cut, mend: () => listen(own), freeze, stop: cut };
}
