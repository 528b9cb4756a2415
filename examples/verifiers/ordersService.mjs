import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import { freePort } from '../../tests/harness/freePort.js';
import { Program } from '../../tests/harness/Program.js';
import { query } from '../../tests/harness/query.js';
import { until } from '../../tests/harness/until.js';
import { checkClocks } from './checkClocks.mjs';
import { assertEqual, check } from './checks.mjs';
import { decoded } from './decoded.mjs';
import { ask } from './middleware.mjs';
import { enter } from './service.mjs';

const { KeyRotation } = createRequire(import.meta.url)('../../dist/keys/KeyRotation.js');

const SCRIPT = 'examples/orders-service/dist/server.js';

/**
 * Starts examples/orders-service, which trusts this issuer.
 *
 * @param {string} issuer
 */
async function startOrders(issuer) {
  const port = await freePort();
  const program = new Program(process.execPath, [SCRIPT], {
    env: { PORT: String(port), AUTH_ISSUER: issuer, JWKS_REFRESH_SECONDS: '1' },
  });
  const url = `http://127.0.0.1:${port}`;
  await program.responds(`${url}/orders`, 401);
  /** @param {Record<string, string>} headers */
  const request = (headers, route = '/orders') => fetch(`${url}${route}`, { headers });
  /** @param {Record<string, string>} headers */
  const status = async (headers, route = '/orders') => (await request(headers, route)).status;
  return {
    stop: () => program.stop(),
    request,
    status,
    verify: (/** @type {string} */ token) => ask(`${url}/orders`, token),
    /** @type {(token: string, route?: string) => Promise<number>} */
    bearer: (token, route) => status({ Authorization: `Bearer ${token}` }, route),
    /** @type {(token: string, route?: string) => Promise<number>} */
    cookie: (token, route) => status({ Cookie: `access_token=${token}` }, route),
  };
}

/**
 * The orders service with an auth-service that runs, rotates its key, and is down. It runs again
 * at the end.
 *
 * @param {import('./service.mjs').AuthService} service
 * @param {Record<string, string>} bad tokens
 * @param {Parameters<typeof checkClocks>[2]} sign
 */
export async function checkOrdersService(service, bad, sign) {
  const { access } = await enter(service, 'login', 'ada@example.com');
  const orders = await startOrders(service.issuer);

  await check('orders-service accepts the access token by cookie and by bearer', async () => {
    assertEqual(await orders.cookie(access), 200, 'by cookie');
    assertEqual(await orders.bearer(access), 200, 'by bearer');
    assertEqual(await orders.status({}), 401, 'without');
  });
  await check('orders-service lets the app read its responses, refusals too', async () => {
    for (const headers of [{}, { Cookie: `access_token=${access}` }]) {
      const response = await orders.request({ ...headers, Origin: 'http://localhost:5173' });
      assertEqual(response.headers.get('access-control-allow-origin'), 'http://localhost:5173', '');
      assertEqual(response.headers.get('access-control-allow-credentials'), 'true', '');
    }
  });
  for (const [fault, token] of Object.entries(bad)) {
    await check(`orders-service refuses a token ${fault}`, async () => {
      assertEqual(await orders.bearer(token), 401, 'by bearer');
      assertEqual(await orders.cookie(token), 401, 'by cookie');
    });
  }
  await checkClocks('orders-service', orders, sign);
  await check('orders-service lets only administrators see all orders', async () => {
    const { userId } = await enter(service, 'register', 'grace@example.com');
    await makeAdministrator(service.database, userId);
    const admin = await enter(service, 'login', 'grace@example.com');
    assertEqual(await orders.bearer(admin.access, '/orders/all'), 200, 'administrator');
    assertEqual(await orders.bearer(access, '/orders/all'), 403, 'customer');
    assertEqual(await orders.status({}, '/orders/all'), 401, 'nobody');
  });

  let rotated = '';
  await check('orders-service knows the next key before it signs', async () => {
    new KeyRotation(service.certs).publish();
    service.program.child.kill('SIGHUP');
    const next = createPrivateKey(fs.readFileSync(path.join(service.certs, 'next.pem')));
    let kid = '';
    await until(async () => {
      const response = await fetch(service.jwksUri);
      const { keys } = /** @type {{ keys: { kid: string }[] }} */ (await response.json());
      kid = keys[1]?.kid ?? '';
      return kid !== '';
    }, 'the next key is published');
    const { header, payload } = decoded(access);
    const early = jwt.sign(payload, next, { header: { ...header, kid } });
    await until(async () => (await orders.bearer(early)) === 200, 'orders-service knows it');
  });
  await check('orders-service accepts tokens of the old and of the new key', async () => {
    new KeyRotation(service.certs).activate({ force: true });
    service.program.child.kill('SIGHUP');
    await until(async () => {
      rotated = (await enter(service, 'login', 'ada@example.com')).access;
      return kidOf(rotated) !== kidOf(access);
    }, 'the new key signs');
    assertEqual(await orders.bearer(rotated), 200, 'new key');
    assertEqual(await orders.bearer(access), 200, 'old key');
  });

  await service.program.stop();
  await check('orders-service goes on while auth-service is down', async () => {
    assertEqual(await orders.bearer(rotated), 200, 'while nobody listens');
    // Instead of auth-service, a load balancer without a backend.
    let attempts = 0;
    const balancer = createServer((_req, res) => {
      attempts += 1;
      res.writeHead(503).end();
    });
    const [host, port] = service.address.split(':');
    balancer.listen(Number(port), host);
    await once(balancer, 'listening');
    await until(() => attempts >= 2, 'it has asked for keys');
    assertEqual(await orders.bearer(rotated), 200, 'new key');
    assertEqual(await orders.bearer(access), 200, 'old key');
    const token = bad['of another key under a known kid'] ?? '';
    assertEqual(await orders.bearer(token), 401, 'bad token');
    balancer.closeAllConnections();
    balancer.close();
    await once(balancer, 'close');
  });
  await check('orders-service responds with 503 as long as it never had a key', async () => {
    const late = await startOrders(service.issuer);
    assertEqual(await late.bearer(access), 503, 'auth-service down');
    await service.restart();
    await until(async () => (await late.bearer(access)) === 200, 'it has fetched the keys');
    await late.stop();
  });
  await orders.stop();
}

/** @param {string} token */
const kidOf = (token) => decoded(token).header.kid;

/**
 * With a statement, because a registration never creates one.
 *
 * @param {import('../../tests/harness/query.js').Database} database
 * @param {number} userId
 */
async function makeAdministrator(database, userId) {
  await query(database, "UPDATE users SET role = 'admin' WHERE id = $1", [userId]);
}
