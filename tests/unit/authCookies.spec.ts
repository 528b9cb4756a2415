import express, { type Express } from 'express';
import fc from 'fast-check';
import request from 'supertest';
import { CookieJar } from 'tough-cookie';
import { loadConfig, type Config } from '../../src/config';
import { ConfigError } from '../../src/config/ConfigError';
import { AuthCookies } from '../../src/http/AuthCookies';
import { environmentFor } from '../support/service';

const database = { host: 'h', port: 5432, username: 'u', password: 'p', name: 'n', poolSize: 1 };
const PAIR = {
  accessToken: 'a.b.c',
  refreshToken: 'd.e.f',
  accessLifetime: 3600,
  refreshLifetime: 2_592_000,
};

const label = fc.stringMatching(/^[a-z\d]([a-z\d-]{0,10}[a-z\d])?$/);
/** A domain that browsers take cookies for: no public suffix. */
const domain = fc
  .array(label, { maxLength: 3 })
  .map((labels) => [...labels, 'example', 'com'].join('.'));
/** Also what the settings refuse. */
const path = fc.oneof(
  fc.constantFrom('/', '/auth', '/auth/', '/api/auth', '/auth/refresh', '/.', '/auth/..', '//'),
  fc.stringMatching(/^\/[\w\-./]{0,40}$/),
);

const settings = fc.record({
  host: fc.tuple(fc.array(label, { maxLength: 2 }), domain),
  isHostOnly: fc.boolean(),
  dot: fc.constantFrom('', '.'),
  path,
});

/** The cookies of a configuration; undefined if it is refused. */
function cookiesOf(variables: NodeJS.ProcessEnv): Config['cookies'] | undefined {
  try {
    return loadConfig(environmentFor(database, { COOKIE_SECURE: 'true', ...variables })).cookies;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Sets the cookies at a GET, and clears them at a DELETE. */
function appOf(config: Config['cookies']): Express {
  const cookies = new AuthCookies(config);
  return express()
    .use((req, _res, next) => {
      req.cookies = {};
      next();
    })
    .get('/', (_req, res) => {
      cookies.set(res, PAIR);
      res.end();
    })
    .delete('/', (_req, res) => {
      cookies.clear(res);
      res.end();
    });
}

describe('AuthCookies', () => {
  describe('for any COOKIE_DOMAIN and REFRESH_COOKIE_PATH that the settings accept', () => {
    it('sets cookies that a browser sends back, and clears them', async () => {
      await fc.assert(
        fc.asyncProperty(settings, async ({ host: [below, domain], isHostOnly, dot, path }) => {
          const config = cookiesOf({
            COOKIE_DOMAIN: isHostOnly ? undefined : dot + domain,
            REFRESH_COOKIE_PATH: path,
          });
          fc.pre(config !== undefined);
          const app = appOf(config);
          const host = [...below, domain].join('.');
          const jar = new CookieJar();
          const url = `https://${host}${path}`;
          const send = async (method: 'get' | 'delete') => {
            const res = await request(app)[method]('/').set('Host', host);
            for (const cookie of res.headers['set-cookie'] as unknown as string[])
              jar.setCookieSync(cookie, `https://${host}/auth/refresh`);
          };
          await send('get');
          expect(
            jar
              .getCookiesSync(url)
              .map(({ key, value }) => [key, value])
              .sort(),
          ).toEqual([
            ['access_token', PAIR.accessToken],
            ['refresh_token', PAIR.refreshToken],
          ]);
          await send('delete');
          expect(jar.getCookiesSync(url)).toEqual([]);
        }),
        { numRuns: 100 },
      );
    });
  });
});
