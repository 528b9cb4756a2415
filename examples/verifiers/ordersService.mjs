import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { assertEqual, check } from './checks.mjs';
import { enter, freePort, ROOT, startProcess, until } from './service.mjs';

const { KeyRotation } = createRequire(import.meta.url)(path.join(ROOT, 'dist/keys/KeyRotation.js'));

const SCRIPT = 'examples/orders-service/dist/server.js';

/** Starts examples/orders-service, which trusts this issuer. */
async function startOrders(issuer) {
  const port = await freePort();
  const running = startProcess(SCRIPT, {
    PORT: String(port),
    AUTH_ISSUER: issuer,
    JWKS_REFRESH_SECONDS: '1',
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/orders`)).status === 401, 'orders-service is up');
  const status = async (headers, route = '/orders') =>
    (await fetch(`${url}${route}`, { headers })).status;
  return {
    stop: running.stop,
    status,
    bearer: (token, route) => status({ Authorization: `Bearer ${token}` }, route),
    cookie: (token, route) => status({ Cookie: `access_token=${token}` }, route),
  };
}

/** The orders service beside a living, a rotating and a dead auth-service, which lives at the end. */
export async function checkOrdersService(service, bad) {
  const { access } = await enter(service, 'login', 'ada@example.com');
  const orders = await startOrders(service.issuer);

  await check('orders-service takes the access token by cookie and by bearer', async () => {
    assertEqual(await orders.cookie(access), 200, 'by cookie');
    assertEqual(await orders.bearer(access), 200, 'by bearer');
    assertEqual(await orders.status({}), 401, 'without');
  });
  for (const [fault, token] of Object.entries(bad)) {
    await check(`orders-service refuses a token ${fault}`, async () => {
      assertEqual(await orders.bearer(token), 401, 'by bearer');
      assertEqual(await orders.cookie(token), 401, 'by cookie');
    });
  }
  await check('orders-service lets only administrators see all orders', async () => {
    const { userId } = await enter(service, 'register', 'grace@example.com');
    await makeAdministrator(service.postgres, userId);
    const admin = await enter(service, 'login', 'grace@example.com');
    assertEqual(await orders.bearer(admin.access, '/orders/all'), 200, 'administrator');
    assertEqual(await orders.bearer(access, '/orders/all'), 403, 'customer');
    assertEqual(await orders.status({}, '/orders/all'), 401, 'nobody');
  });

  let rotated;
  await check('orders-service knows the next key before it signs', async () => {
    new KeyRotation(service.certs).publish();
    service.process.signal('SIGHUP');
    const next = createPrivateKey(fs.readFileSync(path.join(service.certs, 'next.pem')));
    const { keys } = await until(async () => {
      const set = await (await fetch(service.jwksUri)).json();
      return set.keys.length === 2 && set;
    }, 'the next key is published');
    const { header, payload } = jwt.decode(access, { complete: true });
    const early = jwt.sign(payload, next, { header: { ...header, kid: keys[1].kid } });
    await until(async () => (await orders.bearer(early)) === 200, 'orders-service knows it');
  });
  await check('orders-service takes tokens of the old and of the new key', async () => {
    new KeyRotation(service.certs).activate({ force: true });
    service.process.signal('SIGHUP');
    await until(async () => {
      rotated = await enter(service, 'login', 'ada@example.com');
      return kidOf(rotated.access) !== kidOf(access);
    }, 'the new key signs');
    assertEqual(await orders.bearer(rotated.access), 200, 'new key');
    assertEqual(await orders.bearer(access), 200, 'old key');
  });

  await service.process.stop();
  await check('orders-service goes on while auth-service is down', async () => {
    assertEqual(await orders.bearer(rotated.access), 200, 'while nobody listens');
    // Where auth-service was, somebody who answers like a load balancer without a backend.
    let attempts = 0;
    const balancer = createServer((_req, res) => {
      attempts += 1;
      res.writeHead(503).end();
    });
    const [host, port] = service.address.split(':');
    balancer.listen(Number(port), host);
    await once(balancer, 'listening');
    await until(() => attempts >= 2, 'it has asked for keys in vain');
    assertEqual(await orders.bearer(rotated.access), 200, 'new key');
    assertEqual(await orders.bearer(access), 200, 'old key');
    assertEqual(await orders.bearer(bad['of another key under a known kid']), 401, 'bad token');
    balancer.closeAllConnections();
    balancer.close();
    await once(balancer, 'close');
  });
  await check('orders-service answers 503 as long as it never had a key', async () => {
    const late = await startOrders(service.issuer);
    assertEqual(await late.bearer(access), 503, 'auth-service down');
    await service.start();
    await until(async () => (await late.bearer(access)) === 200, 'it has fetched the keys');
    await late.stop();
  });
  await orders.stop();
}

const kidOf = (token) => jwt.decode(token, { complete: true }).header.kid;

/** Nobody is one by registration. */
async function makeAdministrator({ host, port, username, password }, userId) {
  const client = new pg.Client({ host, port, user: username, password, database: 'postgres' });
  await client.connect();
  await client.query("UPDATE users SET role = 'admin' WHERE id = $1", [userId]);
  await client.end();
}
