import { MOUNTS, aUser, clearsCookies, clientOf, tokensOf, type Tokens } from '../support/client';
import { badAccessTokens, badRefreshTokens } from '../support/badTokens';
import { decoded } from '../support/jws';
import { expectProblem } from '../support/problem';
import { startService, type TestService } from '../support/service';

describe('POST /auth/logout', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const signedIn = async (): Promise<Required<Tokens>> =>
    tokensOf(await client.register().expect(201));
  const rowsOf = ({ access }: Tokens) =>
    service.dataSource.query<object[]>('SELECT id FROM refresh_tokens WHERE session_id = $1', [
      decoded(access).payload.sid,
    ]);

  describe.each(MOUNTS)('when both tokens name one session, at %s', (mount) => {
    it('responds with 200, clears both cookies and deletes the row', async () => {
      const tokens = await signedIn();
      const res = await clientOf(service, mount).logout(tokens).expect(200);
      expect(res.body).toStrictEqual({ message: 'User logged out successfully' });
      expect(clearsCookies(res)).toBe(true);
      expect(await rowsOf(tokens)).toEqual([]);
    });
  });

  describe('after a logout', () => {
    it('refuses both tokens, and a refresh clears the cookies', async () => {
      const tokens = await signedIn();
      await client.logout(tokens).expect(200);
      expectProblem(await client.self(tokens), 401);
      const refresh = await client.refresh(tokens);
      expectProblem(refresh, 401);
      expect(clearsCookies(refresh)).toBe(true);
    });

    it('keeps the other sessions of the user', async () => {
      const user = aUser();
      const first = tokensOf(await client.register(user).expect(201));
      const second = tokensOf(await client.login(user).expect(200));
      await client.logout(second).expect(200);
      await client.self(first).expect(200);
      await client.refresh(first).expect(200);
    });

    it('logs the event with user and session', async () => {
      const tokens = await signedIn();
      await client.logout(tokens).expect(200);
      const { sub, sid } = decoded(tokens.access).payload;
      expect(service.logs).toContainEqual(
        expect.objectContaining({
          event: 'session_expired',
          userId: Number(sub),
          sessionId: sid,
          reason: 'logout',
        }),
      );
    });

    it('responds with 200 to a repeated logout, because the first response may have been lost', async () => {
      const tokens = await signedIn();
      await client.logout(tokens).expect(200);
      const again = await client.logout(tokens).expect(200);
      expect(clearsCookies(again)).toBe(true);
    });
  });

  describe('when the refresh token is a predecessor of the live one', () => {
    it('still ends the session', async () => {
      const first = await signedIn();
      const second = tokensOf(await client.refresh(first).expect(200));
      await client.logout({ access: second.access, refresh: first.refresh }).expect(200);
      expectProblem(await client.self(second), 401);
      expectProblem(await client.refresh(second), 401);
    });
  });

  describe('when a token is missing', () => {
    it.each(['access', 'refresh'] as const)('refuses it without %s', async (kind) => {
      const tokens = await signedIn();
      expectProblem(await client.logout({ ...tokens, [kind]: undefined }), 401);
      expect(await rowsOf(tokens)).toHaveLength(1);
    });

    it('responds with 401 without both tokens', async () => {
      expectProblem(await client.logout({}), 401);
    });
  });

  describe('when a token is not valid', () => {
    it('responds with 401 and keeps the session', async () => {
      const tokens = await signedIn();
      const access = String(tokens.access);
      const refresh = String(tokens.refresh);
      const pairs = [
        ...badAccessTokens(service, access, refresh).map(({ what, token }) => ({
          what: `access token ${what}`,
          tokens: { access: token, refresh },
        })),
        ...badRefreshTokens(service, refresh, access).map(({ what, token }) => ({
          what: `refresh token ${what}`,
          tokens: { access, refresh: token },
        })),
      ];
      for (const { what, tokens: bad } of pairs) {
        const res = await client.logout(bad);
        expect({ what, status: res.status }).toEqual({ what, status: 401 });
        expectProblem(res, 401);
      }
      await client.self(tokens).expect(200);
      expect(await rowsOf(tokens)).toHaveLength(1);
    });
  });

  describe('when the tokens name two sessions', () => {
    it('responds with 401 and ends neither session of two users', async () => {
      const [mine, theirs] = [await signedIn(), await signedIn()];
      expectProblem(await client.logout({ access: mine.access, refresh: theirs.refresh }), 401);
      expectProblem(await client.logout({ access: theirs.access, refresh: mine.refresh }), 401);
      await client.self(mine).expect(200);
      await client.self(theirs).expect(200);
    });

    it('responds with 401 and ends neither session of one user', async () => {
      const user = aUser();
      const one = tokensOf(await client.register(user).expect(201));
      const two = tokensOf(await client.login(user).expect(200));
      expectProblem(await client.logout({ access: one.access, refresh: two.refresh }), 401);
      await client.self(one).expect(200);
      await client.self(two).expect(200);
    });
  });

  describe('when refreshes of the session are in flight', () => {
    it('keeps the session ended', async () => {
      for (let round = 0; round < 8; round += 1) {
        const tokens = await signedIn();
        const answers = await Promise.all([
          client.refresh(tokens),
          client.logout(tokens),
          client.refresh(tokens),
        ]);
        expect(answers[1].status).toBe(200);
        for (const answer of answers) {
          expect([200, 401]).toContain(answer.status);
          const later: Tokens = answer.status === 200 ? tokensOf(answer) : {};
          if (later.refresh) expectProblem(await client.refresh(later), 401);
          if (later.access) expectProblem(await client.self(later), 401);
        }
        expect(await rowsOf(tokens)).toEqual([]);
      }
    });
  });

  describe('when the access token has expired', () => {
    it('responds with 401 and keeps the session', async () => {
      const tokens = await signedIn();
      await service.advance(3601);
      expectProblem(await client.logout(tokens), 401);
      expect(await rowsOf(tokens)).toHaveLength(1);
    });
  });
});
