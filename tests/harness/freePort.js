const { once } = require('node:events');
const net = require('node:net');
const { portOf } = require('./portOf');

/** A port that is currently free on loopback. */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

module.exports = { freePort };
