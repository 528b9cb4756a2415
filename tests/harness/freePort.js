const { randomInt } = require('node:crypto');
const { once } = require('node:events');
const net = require('node:net');

/** Below the ports that Linux, macOS and Windows give to outgoing connections, which would take it meanwhile. */
const PORTS = /** @type {const} */ ([16_000, 32_000]);

/** A port that is currently free on loopback, and unlikely to be given to anyone else. */
async function freePort() {
  for (;;) {
    const port = randomInt(...PORTS);
    const server = net.createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

module.exports = { freePort };
