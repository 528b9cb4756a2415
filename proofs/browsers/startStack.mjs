import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { certsDir } from '../../tests/harness/certsDir.js';
import { createDatabase } from '../../tests/harness/createDatabase.js';
import { freePort } from '../../tests/harness/freePort.js';
import { migrate } from '../../tests/harness/migrate.js';
import { Program } from '../../tests/harness/Program.js';
import { ROOT } from '../../tests/harness/root.js';
import { serviceEnvironment } from '../../tests/harness/serviceEnvironment.js';
import { startService } from '../../tests/harness/startService.js';
import { tempFolder } from '../../tests/harness/tempFolder.js';
import { Gateway } from './Gateway.mjs';

const SPA = path.join(ROOT, 'examples/spa');
const VITE = path.join(SPA, 'node_modules/vite/bin/vite.js');

/**
 * The service, orders-service and the app, each on a port of its own. `auth` and `app` are what browsers see.
 *
 * @param {import('../../tests/harness/query.js').Database} postgres
 * @param {{ certificate: string, key: string }} [tls] of `localhost`; without it http
 */
export async function startStack(postgres, tls) {
  const [auth, app] = [new Gateway(tls), new Gateway(tls)];
  await Promise.all([auth.listen(), app.listen()]);

  const certs = certsDir();
  const fixed = serviceEnvironment(await createDatabase(postgres), {
    PORT: String(await freePort()),
    CERTS_DIR: certs,
    CLIENT_UI_DOMAIN: app.origin,
    JWT_ISSUER: auth.origin,
    COOKIE_SECURE: String(tls !== undefined),
    RATE_LIMIT_ENABLED: 'false',
    LOG_LEVEL: 'warn',
    DRAIN_TIMEOUT_SECONDS: '1',
  });
  migrate(fixed);
  const start = async (/** @type {Record<string, string>} */ settings = {}) => {
    const started = await startService({ env: { ...fixed, ...settings } });
    auth.target = started.origin;
    await started.program.responds(`${started.origin}/health/ready`, 200);
    return started.program;
  };
  let service = await start();

  const ordersPort = await freePort();
  const orders = new Program(process.execPath, ['dist/server.js'], {
    cwd: path.join(ROOT, 'examples/orders-service'),
    env: { PORT: String(ordersPort), AUTH_ISSUER: auth.origin, APP_ORIGIN: app.origin },
  });
  await orders.printed(/listens on/);

  const outDir = path.join(tempFolder('spa'), 'dist');
  const build = spawnSync(process.execPath, [VITE, 'build', '--outDir', outDir], {
    cwd: SPA,
    env: {
      ...process.env,
      VITE_AUTH_URL: auth.origin,
      VITE_ORDERS_URL: `http://localhost:${ordersPort}`,
    },
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(`vite build: ${build.stdout}${build.stderr}`);
  const previewPort = await freePort();
  app.target = `http://127.0.0.1:${previewPort}`;
  const preview = ['preview', '--outDir', outDir, '--host', '127.0.0.1'];
  const pages = new Program(process.execPath, [VITE, ...preview, '--port', String(previewPort)], {
    cwd: SPA,
  });
  await pages.responds(app.target);

  return {
    auth,
    app,
    certs,
    /** Starts the service again, with other settings. */
    restart: async (/** @type {Record<string, string>} */ settings) => {
      await service.stop();
      service = await start(settings);
    },
    stop: async () => {
      for (const gateway of [auth, app]) gateway.close();
      for (const program of [service, orders, pages]) await program.stop();
    },
  };
}
