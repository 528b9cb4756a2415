/**
 * A whole rotation, at the earliest moments that src/keys/KeyRotation.ts allows, before verifiers
 * that keep the key set: hours of it in seconds, by a clock that is moved.
 *
 * Two replicas share the folder; one of them is always a look behind the other. They sign, and are
 * asked for the key set, in turn. Every token that is alive is shown to every verifier.
 */
import './clock.mjs';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import { generateKeys } from '../../scripts/generateKeys.mjs';
import { advance } from './clock.mjs';
import { ROOT } from './service.mjs';

const require = createRequire(path.join(ROOT, 'dist/server.js'));
const { createApp } = require('./app.js');
const { loadConfig } = require('./config/index.js');
const { createDataSource } = require('./config/data-source.js');
const { KeyRing } = require('./keys/KeyRing.js');
const { KeyRotation } = require('./keys/KeyRotation.js');
const { RotationError } = require('./keys/RotationError.js');
const { createLogger } = require('./config/logger.js');
const { TokenService } = require('./service/TokenService.js');

/** How often a replica looks at the folder, in seconds. */
const TICK = 5;
const SIGNING_INTERVAL = 120;
const MAX_AGE = 300;

/** Two replicas on one folder behind one address, without the database, which keys do not need. */
async function startReplicas(dir) {
  const config = loadConfig({
    NODE_ENV: 'prod',
    DB_HOST: 'unused',
    DB_USERNAME: 'unused',
    DB_PASSWORD: 'unused',
    DB_NAME: 'unused',
    CERTS_DIR: dir,
    REFRESH_JWT_SECRET: 'of no use here, but it has to be there',
    CLIENT_UI_DOMAIN: 'https://app.example.com',
    JWT_ISSUER: 'https://auth.example.com',
    LOG_LEVEL: 'error',
  });
  const logger = createLogger(config);
  const dataSource = createDataSource(config.database);
  const open = async () => {
    const keys = await KeyRing.open(config.keys);
    const lifecycle = { draining: false };
    const app = createApp({ config, dataSource, keys, logger, lifecycle });
    return { app, keys, tokens: new TokenService(config.tokens, keys, Date.now) };
  };
  const replicas = [await open(), await open()];
  let requests = 0;
  const server = createServer((req, res) => replicas[requests++ % 2].app(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const jwksUri = `http://127.0.0.1:${server.address().port}/.well-known/jwks.json`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  const look = ({ keys }) => keys.refresh(logger);
  return { replicas, look, jwksUri, stop, settings: config.tokens, fetched: () => requests };
}

/** Verifiers that keep the key set, by name; those with a phase begin so many seconds later. */
function verifiersOf({ jwksUri, settings: { issuer, audience } }) {
  const options = { issuer, audience, algorithms: ['RS256'] };
  const withJose = (joseOptions) => {
    const keys = createRemoteJWKSet(new URL(jwksUri), joseOptions);
    return (token) => jwtVerify(token, keys, options);
  };
  const withJwksRsa = (clientOptions) => {
    const client = jwksRsa({ jwksUri, ...clientOptions });
    return async (token) => {
      const { header } = jwt.decode(token, { complete: true });
      const key = await client.getSigningKey(header.kid);
      return jwt.verify(token, key.getPublicKey(), options);
    };
  };
  // The hardest to please: they take max-age at its word, and never ask earlier for an unknown kid.
  const strict = { cacheMaxAge: MAX_AGE * 1000, cooldownDuration: MAX_AGE * 1000 };
  const phases = [0, 95, 190, 285];
  return [
    { name: 'jose', phase: 0, verify: withJose() },
    { name: 'jwks-rsa', phase: 0, verify: withJwksRsa() },
    ...phases.map((phase) => ({ name: 'strict jose', phase, verify: withJose(strict) })),
    ...phases.map((phase) => ({
      name: 'jwks-rsa behind an HTTP cache',
      phase,
      verify: withJwksRsa({ fetcher: httpCache() }),
    })),
  ];
}

/** What a shared HTTP cache does (RFC 9111): within max-age it answers by itself. */
function httpCache() {
  let kept;
  return async (uri) => {
    if (!kept || Date.now() >= kept.until) {
      const response = await fetch(uri);
      const [, maxAge] = /max-age=(\d+)/.exec(response.headers.get('cache-control'));
      kept = { until: Date.now() + Number(maxAge) * 1000, body: await response.json() };
    }
    return kept.body;
  };
}

/** @returns {boolean} false where it is too early */
function attempt(step, force) {
  try {
    step({ force });
    return true;
  } catch (error) {
    if (!(error instanceof RotationError)) throw error;
    return false;
  }
}

/**
 * Plays a rotation. `impatient` names a step that does not wait for its time; the play then ends with
 * the first verification that fails.
 *
 * @param {'activate' | 'retire'} [impatient]
 */
export async function playRotation(impatient) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-rotation-'));
  await generateKeys({ dir });
  const site = await startReplicas(dir);
  const { replicas } = site;
  const verifiers = verifiersOf(site);
  const session = {
    sessionId: '6b3f0a52-9d0c-4c1e-8f43-0a4b5b1d2c3e',
    userId: 1,
    role: 'customer',
    tokenId: '1',
    createdAt: new Date(),
    expiresAt: new Date(Date.now() + 86_400_000),
  };
  const result = { verified: 0, failed: [], tokens: 0, waitedFor: {}, seconds: 0 };
  const rotation = new KeyRotation(dir);
  const steps = [
    ['publish', () => rotation.publish()],
    ['activate', (options) => rotation.activate(options)],
    ['retire', (options) => rotation.retire(options)],
  ];
  let alive = [];
  let since = Date.now();
  let settled = 600;

  for (let time = 0; settled > 0; time += TICK) {
    if (impatient && result.failed.length > 0) break;
    result.seconds = time;
    let turned = false;
    if (time >= 600 && steps.length > 0) {
      const [name, step] = steps[0];
      if (attempt(step, impatient === name)) {
        result.waitedFor[name] = Math.round((Date.now() - since) / 1000);
        since = Date.now();
        turned = true;
        steps.shift();
      }
    }
    if (steps.length === 0) settled -= TICK;

    // The first has looked; the second signs and answers before it does, a tick behind.
    await site.look(replicas[0]);
    if (time % SIGNING_INTERVAL === 0 || turned) {
      for (const { tokens } of replicas) {
        const { accessToken: token } = await tokens.issue(session);
        alive.push({ token, until: Date.now() + 3600_000 });
        result.tokens += 1;
      }
    }
    alive = alive.filter(({ until }) => Date.now() < until - TICK * 1000);
    // All of them every other minute, and at each tick the oldest and the newest.
    const shown =
      time % SIGNING_INTERVAL === 0 ? alive : [...alive.slice(0, 2), ...alive.slice(-4)];
    for (const { name, phase, verify } of verifiers) {
      if (time < phase) continue;
      for (const { token } of shown) {
        try {
          await verify(token);
          result.verified += 1;
        } catch (error) {
          result.failed.push(`${name} at ${time} s: ${error.message}`);
        }
      }
    }
    await site.look(replicas[1]);
    advance(TICK);
  }
  result.fetched = site.fetched();
  result.kids = replicas[0].keys.current.verifying.size;
  site.stop();
  fs.rmSync(dir, { recursive: true });
  return result;
}
