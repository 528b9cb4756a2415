import { createHash } from 'node:crypto';
import { clientOf, tokensOf } from './support/client';
import { altered, rs256 } from './support/jws';
import { verifiedElsewhere } from './support/otherService';
import { expectProblem } from './support/problem';
import { startService, type TestService } from './support/service';

const PATH = '/.well-known/jwks.json';

interface KeySetBody {
  keys: Record<string, string>[];
}

describe('GET /.well-known/jwks.json', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  describe('when it is requested', () => {
    it('responds with 200 and only the public keys', async () => {
      const res = await client.send('get', PATH).expect(200);
      expect(res.headers['content-type']).toMatch(/^application\/(jwk-set\+)?json(;|$)/);
      const { keys, ...rest } = res.body as KeySetBody;
      expect(rest).toEqual({});
      expect(keys).toHaveLength(1);
      const [key = {}] = keys;
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ kty: 'RSA', use: 'sig', alg: 'RS256' });
      expect(Buffer.from(String(key.n), 'base64url').length).toBeGreaterThanOrEqual(256);
    });

    it('names each key by its thumbprint (RFC 7638)', async () => {
      const { keys } = (await client.send('get', PATH)).body as KeySetBody;
      for (const { e, kty, n, kid } of keys) {
        const canonical = `{"e":"${String(e)}","kty":"${String(kty)}","n":"${String(n)}"}`;
        expect(kid).toBe(createHash('sha256').update(canonical).digest('base64url'));
      }
    });

    it('allows every cache to keep it for five minutes', async () => {
      const res = await client.send('get', PATH).expect(200);
      expect(res.headers['cache-control']).toBe('public, max-age=300');
      expect(res.headers['set-cookie']).toBeUndefined();
    });

    it('ignores tokens, cookies and a foreign origin', async () => {
      await client
        .send('get', PATH, { access: 'a.b.c' })
        .set('Origin', 'https://elsewhere.example')
        .set('Sec-Fetch-Site', 'cross-site')
        .expect(200);
    });
  });

  describe('when the caller has it in a cache', () => {
    it('responds with 304 without a body, with the same ETag and lifetime', async () => {
      const first = await client.send('get', PATH).expect(200);
      const etag = String(first.headers.etag);
      expect(etag).toMatch(/^(W\/)?"[^"]+"$/);
      const again = await client.send('get', PATH).set('If-None-Match', etag).expect(304);
      expect(again.text).toBe('');
      expect(again.headers).toMatchObject({ etag, 'cache-control': 'public, max-age=300' });
    });

    it('responds with 200 to another ETag', async () => {
      const res = await client.send('get', PATH).set('If-None-Match', '"another"').expect(200);
      expect((res.body as KeySetBody).keys).toHaveLength(1);
    });
  });

  describe('when another service verifies access tokens with it', () => {
    const input = async () => {
      const tokens = tokensOf(await client.register().expect(201));
      const jwks: unknown = (await client.send('get', PATH)).body;
      const { issuer, audience } = service.config.tokens;
      return { jwks, token: tokens.access, refresh: tokens.refresh, issuer, audience };
    };

    it('accepts a valid token, whose kid is the thumbprint', async () => {
      const { thumbprints, header, payload } = verifiedElsewhere(await input());
      expect(header).toMatchObject({ alg: 'RS256', typ: 'at+jwt', kid: thumbprints[0] });
      expect(payload).toMatchObject({ role: 'customer' });
    });

    it('refuses a changed token and a refresh token', async () => {
      const given = await input();
      const { privateKey } = service.keys.signing;
      const foreign = altered(given.token, { payload: { iss: 'x' } }, rs256(privateKey));
      expect(() => verifiedElsewhere({ ...given, token: foreign })).toThrow();
      expect(() => verifiedElsewhere({ ...given, token: given.refresh })).toThrow();
    });
  });

  describe('when the method is not GET', () => {
    it('responds to HEAD without a body', async () => {
      const res = await client.send('head', PATH).expect(200);
      expect(res.headers['cache-control']).toBe('public, max-age=300');
    });

    it.each(['post', 'put', 'patch', 'delete'] as const)(
      'responds with 405 to %s',
      async (method) => {
        const res = await client.send(method, PATH);
        expectProblem(res, 405);
        expect(res.headers.allow).toBe('GET, HEAD');
      },
    );
  });
});
