import { MOUNTS, aUser, clientOf, tokensOf, type Tokens } from '../support/client';
import { badAccessTokens } from '../support/badTokens';
import { altered, rs256 } from '../support/jws';
import { expectProblem } from '../support/problem';
import { startService, type TestService } from '../support/service';

const ISO_WITH_MILLISECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface SelfBody {
  message: string;
  user: Record<string, unknown>;
}

describe('GET /auth/self', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const signedIn = async (): Promise<Required<Tokens>> =>
    tokensOf(await client.register().expect(201));
  const bearer = (credentials: string) =>
    client.send('get', '/auth/self').set('Authorization', credentials);

  describe.each(MOUNTS)('when the session is live, at %s', (mount) => {
    it('responds with 200 with exactly the keys of the contract', async () => {
      const registration = aUser({ firstName: 'Grace', lastName: 'Hopper' });
      const created = await client.register(registration).expect(201);
      const { access } = tokensOf(created);
      const res = await clientOf(service, mount).self({ access }).expect(200);
      const body = res.body as SelfBody;
      expect(body).toStrictEqual({
        message: 'User details fetched successfully',
        user: {
          id: (created.body as { userId: number }).userId,
          firstName: 'Grace',
          lastName: 'Hopper',
          email: registration.email,
          role: 'customer',
          createdAt: expect.stringMatching(ISO_WITH_MILLISECONDS) as string,
          updatedAt: expect.stringMatching(ISO_WITH_MILLISECONDS) as string,
        },
      });
      expect(Number.isInteger(body.user.id)).toBe(true);
      expect(Math.abs(Date.parse(String(body.user.createdAt)) - service.now())).toBeLessThan(
        60_000,
      );
    });
  });

  describe('when the token comes as Authorization: Bearer', () => {
    it.each(['Bearer', 'bearer', 'BEARER'])('accepts the scheme %s', async (scheme) => {
      const { access } = await signedIn();
      await bearer(`${scheme} ${String(access)}`).expect(200);
    });

    it('prefers the cookie', async () => {
      const [one, two] = [await client.register().expect(201), await signedIn()];
      const res = await client
        .self({ access: tokensOf(one).access })
        .set('Authorization', `Bearer ${String(two.access)}`)
        .expect(200);
      expect((res.body as SelfBody).user.id).toBe((one.body as { userId: number }).userId);
    });

    it.each(['Bearer', 'Bearer ', 'Basic YWRhOnB3', 'Token x', 'x', ', ,'])(
      'responds with 401 to "%s"',
      async (credentials) => {
        const res = await bearer(credentials);
        expectProblem(res, 401);
      },
    );
  });

  describe('when the method is HEAD', () => {
    it('responds as to GET, without a body', async () => {
      const tokens = await signedIn();
      const res = await client.send('head', '/auth/self', tokens).expect(200);
      expect(res.headers['cache-control']).toBe('no-store');
      expect(res.text).toBeFalsy();
    });
  });

  describe('when there is no token', () => {
    it('responds with 401 without an error code (RFC 6750, 3.1)', async () => {
      const res = await client.self({});
      expectProblem(res, 401);
      expect(res.headers['www-authenticate']).not.toContain('error=');
    });

    it('does not accept the refresh cookie', async () => {
      const { refresh } = await signedIn();
      expectProblem(await client.self({ refresh }), 401);
    });
  });

  describe('when the token is not valid', () => {
    it('responds with 401, both as a cookie and as Bearer', async () => {
      const { access, refresh } = await signedIn();
      for (const { what, token } of badAccessTokens(service, String(access), String(refresh))) {
        for (const res of [await client.self({ access: token }), await bearer(`Bearer ${token}`)]) {
          const seen = { what, status: res.status };
          expect(seen).toEqual({ what, status: 401 });
          expectProblem(res, 401);
          expect(res.headers['www-authenticate']).toMatch(/^Bearer\b/);
        }
      }
      await client.self({ access }).expect(200);
    });

    it('sends the error code to a client that sent a token', async () => {
      const res = await client.self({ access: 'a.b.c' });
      expect(res.headers['www-authenticate']).toContain('error="invalid_token"');
    });

    it('does not fall back to the header after an invalid cookie', async () => {
      const { access } = await signedIn();
      const res = await client
        .self({ access: 'a.b.c' })
        .set('Authorization', `Bearer ${String(access)}`);
      expectProblem(res, 401);
    });
  });

  describe('when the token has the session of another user', () => {
    it('responds with 401', async () => {
      const { access } = await signedIn();
      const other = await client.register().expect(201);
      const sub = String((other.body as { userId: number }).userId);
      const mixed = altered(access, { payload: { sub } }, rs256(service.keys.signing.privateKey));
      expectProblem(await client.self({ access: mixed }), 401);
    });
  });

  describe('when the token expires', () => {
    it('responds with 200 before and with 401 after an hour', async () => {
      const { access, refresh } = await signedIn();
      await service.advance(3590);
      await client.self({ access }).expect(200);
      await service.advance(20);
      expectProblem(await client.self({ access }), 401);
      await client.self(tokensOf(await client.refresh({ refresh }).expect(200))).expect(200);
    });
  });

  describe('when the session was refreshed', () => {
    it('still accepts its earlier access token', async () => {
      const first = await signedIn();
      await client.refresh(first).expect(200);
      await client.self(first).expect(200);
    });
  });

  describe('when the session has ended', () => {
    it.each([
      [
        'by logout',
        async (tokens: Tokens) => {
          await client.logout(tokens).expect(200);
        },
      ],
      [
        'with its row',
        async () => {
          await service.dataSource.query('DELETE FROM refresh_tokens');
        },
      ],
      [
        'with its user',
        async () => {
          await service.dataSource.query('DELETE FROM users');
        },
      ],
      [
        'by its expiry',
        async () => {
          await service.dataSource.query("UPDATE refresh_tokens SET expires_at = '2001-01-01'");
        },
      ],
    ])('responds with 401: %s', async (_how, end) => {
      const tokens = await signedIn();
      await client.self(tokens).expect(200);
      await end(tokens);
      expectProblem(await client.self(tokens), 401);
    });
  });
});
