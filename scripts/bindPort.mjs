import net from 'node:net';

/**
 * Binds a port for a moment, to see that it is free.
 * @param {number} port 0: any free one
 * @param {string} [host] all interfaces if left out
 * @returns {Promise<number>} the port; rejects with the system's error
 */
export function bindPort(port, host) {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      const address = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(address.port));
    });
  });
}
