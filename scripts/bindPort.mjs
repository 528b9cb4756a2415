import { once } from 'node:events';
import net from 'node:net';

/**
 * Binds a port for a moment, to see that it is free.
 * @param {number} port 0: any free one
 * @param {string} [host] all interfaces if left out
 * @returns {Promise<number>} the port; rejects with the system's error
 */
export async function bindPort(port, host) {
  const server = net.createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  const address = /** @type {net.AddressInfo} */ (server.address());
  await once(server.close(), 'close');
  return address.port;
}
