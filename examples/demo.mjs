/**
 * `npm run demo`: the service, a second service and a web app that uses both.
 *
 * Runs `npm run dev`, examples/orders-service and examples/spa. Installs and builds what they lack.
 */
import { once } from 'node:events';
import path from 'node:path';
import { Program } from '../tests/harness/Program.js';
import { loadEnvironment } from '../scripts/environment/loadEnvironment.mjs';
import { PROJECT_ROOT } from '../scripts/folders.mjs';
import { runScript } from '../scripts/runScript.mjs';
import { ScriptError } from '../scripts/ScriptError.mjs';
import { prepareExample } from './prepareExample.mjs';

const SPA = 'examples/spa';
const ORDERS = 'examples/orders-service';

async function main() {
  const told = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name)));
  loadEnvironment('dev');
  const { PORT = '5501', ORDERS_PORT = '5600', APP_PORT = '5173' } = process.env;
  const authUrl = `http://localhost:${PORT}`;
  const ordersUrl = `http://localhost:${ORDERS_PORT}`;
  const appUrl = `http://localhost:${APP_PORT}`;

  console.log('preparing the demo, which takes a minute at the first start');
  prepareExample('client', 'dist/esm/index.js');
  prepareExample(ORDERS, 'dist/server.js');
  prepareExample(SPA);

  const service = new Program(process.execPath, ['scripts/dev.mjs'], {
    env: { ...process.env, PORT, CLIENT_UI_DOMAIN: appUrl, JWT_ISSUER: authUrl },
  });
  const orders = new Program(process.execPath, ['dist/server.js'], {
    cwd: path.join(PROJECT_ROOT, ORDERS),
    env: { PORT: ORDERS_PORT, AUTH_ISSUER: authUrl, APP_ORIGIN: appUrl },
  });
  const app = new Program(process.execPath, ['node_modules/vite/bin/vite.js', '--port', APP_PORT], {
    cwd: path.join(PROJECT_ROOT, SPA),
    env: { VITE_AUTH_URL: authUrl, VITE_ORDERS_URL: ordersUrl },
  });
  const programs = [app, orders, service];

  const greet = async () => {
    await service.responds(`${authUrl}/health/ready`, 200);
    await app.responds(appUrl);
    console.log(`\nopen ${appUrl}\nCtrl-C ends the demo.`);
    return told;
  };
  const endOf = async (/** @type {Program} */ program) => {
    await program.exited;
    throw new ScriptError(program.output.slice(-2_000));
  };
  try {
    await Promise.race([told, greet(), ...programs.map(endOf)]);
  } finally {
    for (const program of programs) await program.stop();
  }
}

await runScript(main);
// Connections of the health check must not delay the end.
process.exit();
