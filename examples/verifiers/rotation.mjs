/**
 * A whole rotation, each step as early as the command allows, with verifiers that cache the key set. A
 * moved clock lets hours pass in seconds.
 *
 * Two replicas share the folder; one of them always reads it later than the other. They sign and serve
 * the key set in turn. Every verifier checks every token that has not expired.
 */
import './clock.mjs';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';
import { certsDir } from '../../tests/harness/certsDir.js';
import { portOf } from '../../tests/harness/portOf.js';
import { ROOT } from '../../tests/harness/root.js';
import { serviceEnvironment } from '../../tests/harness/serviceEnvironment.js';
import { advance } from './clock.mjs';
import { decoded } from './decoded.mjs';

const load = createRequire(path.join(ROOT, 'dist/server.js'));
const { createApp } = load('./app.js');
const { createServices } = load('./services.js');
const { loadConfig } = load('./config/index.js');
const { createDataSource } = load('./config/data-source.js');
const { KeyRing } = load('./keys/KeyRing.js');
const { KeyRotation } = load('./keys/KeyRotation.js');
const { RotationError } = load('./keys/RotationError.js');
const { createLogger } = load('./config/logger.js');

/**
 * The parts of a replica that matter here.
 *
 * @typedef {object} Replica
 * @property {import('node:http').RequestListener} app
 * @property {{ current: { verifying: Map<string, unknown> }, refresh(logger: unknown): Promise<void> }} keys
 * @property {{ issue(session: object): Promise<{ accessToken: string }> }} tokens
 *
 * @typedef {Awaited<ReturnType<typeof startReplicas>>} Site
 * @typedef {(options: { force: boolean }) => void} Step
 */

/** How often a replica reads the folder, in seconds. */
const TICK = 5;
const SIGNING_INTERVAL = 120;
const MAX_AGE = 300;

/**
 * Two replicas on one folder behind one address, without the database, which keys do not need.
 *
 * @param {string} dir
 */
async function startReplicas(dir) {
  const nowhere = {
    host: 'unused',
    port: 1,
    username: 'unused',
    password: 'unused',
    name: 'unused',
  };
  const config = loadConfig(serviceEnvironment(nowhere, { CERTS_DIR: dir, LOG_LEVEL: 'error' }));
  const logger = createLogger(config);
  const dataSource = createDataSource(config.database);
  /** @returns {Promise<Replica>} */
  const open = async () => {
    const keys = await KeyRing.open(config.keys);
    const services = createServices({ config, dataSource, keys, logger });
    return { app: createApp(services, config, logger), keys, tokens: services.tokens };
  };
  const replicas = /** @type {const} */ ([await open(), await open()]);
  let requests = 0;
  const server = createServer((req, res) => {
    const { app } = requests % 2 === 0 ? replicas[0] : replicas[1];
    requests += 1;
    app(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const jwksUri = `http://127.0.0.1:${portOf(server)}/.well-known/jwks.json`;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  /** @param {Replica} replica */
  const look = ({ keys }) => keys.refresh(logger);
  return { replicas, look, jwksUri, stop, settings: config.tokens, fetched: () => requests };
}

/**
 * Verifiers that cache the key set, by name; those with a phase start that many seconds later.
 *
 * @param {Site} site
 */
function verifiersOf({ jwksUri, settings: { issuer, audience } }) {
  /** @type {import('jsonwebtoken').VerifyOptions & { algorithms: 'RS256'[] }} */
  const options = { issuer, audience, algorithms: ['RS256'] };
  /** @param {import('jose').RemoteJWKSetOptions} [joseOptions] */
  const withJose = (joseOptions) => {
    const keys = createRemoteJWKSet(new URL(jwksUri), joseOptions);
    return (/** @type {string} */ token) =>
      jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'] });
  };
  /** @param {Partial<import('jwks-rsa').Options>} [clientOptions] */
  const withJwksRsa = (clientOptions) => {
    const client = jwksRsa({ jwksUri, ...clientOptions });
    return async (/** @type {string} */ token) => {
      const key = await client.getSigningKey(decoded(token).header.kid);
      return jwt.verify(token, key.getPublicKey(), options);
    };
  };
  // The strictest: they keep the set for all of max-age, even if a kid is unknown.
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

/** A shared HTTP cache (RFC 9111): within max-age it does not ask the origin. */
function httpCache() {
  /** @type {{ until: number, body: { keys: unknown } } | undefined} */
  let kept;
  return async (/** @type {string} */ uri) => {
    if (!kept || Date.now() >= kept.until) {
      const response = await fetch(uri);
      const [, maxAge] = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '') ?? [];
      const body = /** @type {{ keys: unknown }} */ (await response.json());
      kept = { until: Date.now() + Number(maxAge) * 1000, body };
    }
    return kept.body;
  };
}

/**
 * @param {Step} step
 * @param {boolean} force
 * @returns {boolean} false if it is too early
 */
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
 * Runs a rotation. `impatient` names a step that does not wait; the run then ends with the first
 * verification that fails.
 *
 * @param {'activate' | 'retire'} [impatient]
 */
export async function playRotation(impatient) {
  const dir = certsDir();
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
  const result = {
    verified: 0,
    failed: /** @type {string[]} */ ([]),
    tokens: 0,
    waitedFor: /** @type {Record<'publish' | 'activate' | 'retire', number>} */ ({}),
    seconds: 0,
  };
  const rotation = new KeyRotation(dir);
  /** @type {['publish' | 'activate' | 'retire', Step][]} */
  const steps = [
    ['publish', () => rotation.publish()],
    ['activate', (options) => rotation.activate(options)],
    ['retire', (options) => rotation.retire(options)],
  ];
  /** @type {{ token: string, until: number }[]} */
  let alive = [];
  let since = Date.now();
  let settled = 600;

  for (let time = 0; settled > 0; time += TICK) {
    if (impatient && result.failed.length > 0) break;
    result.seconds = time;
    let turned = false;
    if (time >= 600 && steps[0]) {
      const [name, step] = steps[0];
      if (attempt(step, impatient === name)) {
        result.waitedFor[name] = Math.round((Date.now() - since) / 1000);
        since = Date.now();
        turned = true;
        steps.shift();
      }
    }
    if (steps.length === 0) settled -= TICK;

    // The first has read the folder; the second signs and responds before it reads, one tick later.
    await site.look(replicas[0]);
    if (time % SIGNING_INTERVAL === 0 || turned) {
      for (const { tokens } of replicas) {
        const { accessToken: token } = await tokens.issue(session);
        alive.push({ token, until: Date.now() + 3600_000 });
        result.tokens += 1;
      }
    }
    alive = alive.filter(({ until }) => Date.now() < until - TICK * 1000);
    // All of them every two minutes, and at each tick the oldest and the newest.
    const shown =
      time % SIGNING_INTERVAL === 0 ? alive : [...alive.slice(0, 2), ...alive.slice(-4)];
    for (const { name, phase, verify } of verifiers) {
      if (time < phase) continue;
      for (const { token } of shown) {
        try {
          await verify(token);
          result.verified += 1;
        } catch (error) {
          result.failed.push(`${name} at ${time} s: ${error}`);
        }
      }
    }
    await site.look(replicas[1]);
    advance(TICK);
  }
  site.stop();
  const kids = replicas[0].keys.current.verifying.size;
  return { ...result, fetched: site.fetched(), kids };
}
