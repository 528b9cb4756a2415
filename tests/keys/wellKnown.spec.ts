import { generateKeyPairSync } from 'node:crypto';
import express from 'express';
import { decode } from 'jsonwebtoken';
import request from 'supertest';
import { WellKnownController } from '../../src/controller/WellKnownController';
import { keySetOf, type Keys } from '../../src/keys/keySet';
import { wellKnownRoutes } from '../../src/routes/well-known';
import { TokenService } from '../../src/service/TokenService';
import { WellKnownService } from '../../src/service/WellKnownService';
import { aUser, clientOf, tokensOf } from '../support/client';
import { startService, type TestService } from '../support/service';

const DOCUMENTS = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

const one = generateKeyPairSync('rsa', { modulusLength: 2048 });
const two = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Only the well-known routes, for another issuer or key set. */
const appOf = (keys: Keys, issuer: string) => {
  const controller = new WellKnownController(new WellKnownService(keys, issuer));
  return express().use('/.well-known', wellKnownRoutes(controller, issuer));
};

describe('GET /.well-known', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ JWT_ISSUER: 'https://auth.example.com/' });
  });
  afterAll(() => service.stop());

  describe.each([...DOCUMENTS, '/.well-known/jwks.json'])('%s', (path) => {
    it('may be cached for five minutes and revalidated by its ETag', async () => {
      const first = await request(service.app).get(path);
      expect(first.status).toBe(200);
      expect(first.get('Content-Type')).toMatch(/^application\/json/);
      expect(first.get('Cache-Control')).toBe('public, max-age=300');
      const etag = first.get('ETag') ?? '';
      expect(etag).toMatch(/^"[\w-]{43}"$/);
      const again = await request(service.app).get(path).set('If-None-Match', etag);
      expect(again.status).toBe(304);
      expect(again.text).toBe('');
    });

    it('accepts no other method', async () => {
      const answer = await request(service.app).post(path);
      expect(answer.status).toBe(405);
      expect(answer.get('Allow')).toBe('GET, HEAD');
    });
  });

  it.each(DOCUMENTS)('%s has exactly the true metadata', async (path) => {
    const answer = await request(service.app).get(path);
    expect(answer.body).toEqual({
      issuer: 'https://auth.example.com/',
      jwks_uri: 'https://auth.example.com/.well-known/jwks.json',
      response_types_supported: [],
      grant_types_supported: [],
      token_endpoint_auth_methods_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      claims_supported: ['iss', 'aud', 'sub', 'role', 'sid', 'jti', 'iat', 'exp'],
    });
  });

  it('has exactly the claims, the issuer and the algorithm of an access token', async () => {
    const answer = await request(service.app).get(DOCUMENTS[0] ?? '');
    const metadata = answer.body as Record<string, unknown>;
    const { access = '' } = tokensOf(await clientOf(service).register(aUser()));
    const token = decode(access, { complete: true });
    const claims = Object.keys(token?.payload ?? {}).sort();
    expect(claims).toEqual((metadata.claims_supported as string[]).toSorted());
    expect(token?.payload).toMatchObject({ iss: metadata.issuer });
    expect([token?.header.alg]).toEqual(metadata.id_token_signing_alg_values_supported);
  });

  it('has the metadata of an issuer with a path where both specifications expect it', async () => {
    const app = appOf({ current: service.keys }, 'https://example.com/auth/v1');
    for (const path of DOCUMENTS) {
      for (const suffix of ['', '/auth/v1']) {
        const answer = await request(app).get(path + suffix);
        expect(answer.body).toMatchObject({
          issuer: 'https://example.com/auth/v1',
          jwks_uri: 'https://example.com/auth/v1/.well-known/jwks.json',
        });
      }
      expect((await request(app).get(`${path}/other`)).status).toBe(404);
    }
  });

  it('publishes, signs and verifies with the current set', async () => {
    const keys = { current: keySetOf(one.privateKey, one.publicKey) };
    const tokens = new TokenService(service.config.tokens, keys, () => service.now());
    const app = appOf(keys, 'https://auth.example.com');
    const kids = async () => {
      const answer = await request(app).get('/.well-known/jwks.json');
      const { keys: published } = answer.body as { keys: { kid: string }[] };
      return { etag: answer.get('ETag'), kids: published.map(({ kid }) => kid) };
    };
    const session = {
      sessionId: '6b3f0a52-9d0c-4c1e-8f43-0a4b5b1d2c3e',
      userId: 1,
      role: 'customer',
      tokenId: '1',
      createdAt: new Date(),
      expiresAt: new Date(Date.now() + 1000),
    };
    const old = (await tokens.issue(session)).accessToken;
    const first = await kids();

    keys.current = keySetOf(two.privateKey, two.publicKey, [one.publicKey]);
    const second = await kids();
    expect(second.kids).toEqual([keys.current.signing.kid, ...first.kids]);
    expect(second.etag).not.toBe(first.etag);
    const fresh = (await tokens.issue(session)).accessToken;
    expect(decode(fresh, { complete: true })?.header.kid).toBe(keys.current.signing.kid);
    expect(tokens.verifyAccessToken(old)).toMatchObject({ userId: 1 });
    expect(tokens.verifyAccessToken(fresh)).toMatchObject({ userId: 1 });

    keys.current = keySetOf(two.privateKey, two.publicKey);
    expect(() => tokens.verifyAccessToken(old)).toThrow('invalid');
  });
});
