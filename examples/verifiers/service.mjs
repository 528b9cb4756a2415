import { certsDir } from '../../tests/harness/certsDir.js';
import { createDatabase } from '../../tests/harness/createDatabase.js';
import { freePort } from '../../tests/harness/freePort.js';
import { migrate } from '../../tests/harness/migrate.js';
import { serviceEnvironment } from '../../tests/harness/serviceEnvironment.js';
import { startPostgres } from '../../tests/harness/startPostgres.js';
import { startService } from '../../tests/harness/startService.js';
import { tokensOf } from '../../tests/harness/tokensOf.js';

/**
 * @typedef {Awaited<ReturnType<typeof startAuthService>>} AuthService
 *
 * @typedef {object} Settings what a verifier needs to know
 * @property {string} issuer
 * @property {string} audience
 * @property {string} jwksUri
 */

/** Starts auth-service as it is deployed: built, in prod mode, on its own PostgreSQL. */
export async function startAuthService() {
  const postgres = await startPostgres({ fsync: false });
  const database = await createDatabase(postgres);
  const certs = certsDir();
  const address = `127.0.0.1:${await freePort()}`;
  const issuer = `http://${address}`;
  const audience = 'auth-service';
  const env = serviceEnvironment(database, {
    PORT: address.split(':')[1],
    CERTS_DIR: certs,
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: audience,
  });
  migrate(env);

  const start = async () => {
    const { program, origin } = await startService({ env });
    await program.responds(`${origin}/health/ready`, 200);
    return program;
  };
  const service = {
    issuer,
    address,
    audience,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    certs,
    database,
    program: await start(),
    restart: async () => {
      service.program = await start();
    },
    stop: async () => {
      await service.program.stop();
      await postgres.stop();
    },
  };
  return service;
}

/**
 * Registers a user, or logs one in.
 *
 * @param {{ issuer: string }} service
 * @param {'register' | 'login'} route
 * @param {string} email
 * @returns {Promise<{ userId: number, access: string, refresh: string }>}
 */
export async function enter({ issuer }, route, email) {
  const response = await fetch(`${issuer}/auth/${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      firstName: 'Ada',
      lastName: 'Lovelace',
      email,
      password: 'correct horse battery',
    }),
  });
  const { access, refresh } = tokensOf(response.headers.getSetCookie());
  if (!response.ok || access === undefined || refresh === undefined)
    throw new Error(`${route}: ${response.status} ${await response.text()}`);
  const { userId } = /** @type {{ userId: number }} */ (await response.json());
  return { userId, access, refresh };
}
