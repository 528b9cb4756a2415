import { badRefreshTokens } from '../support/badTokens';
import {
  MOUNTS,
  clearsCookies,
  clientOf,
  cookiesOf,
  tokensOf,
  type Tokens,
} from '../support/client';
import { decoded } from '../support/jws';
import { expectProblem } from '../support/problem';
import { startService, type TestService } from '../support/service';

describe('POST /auth/refresh', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const refreshed = async (tokens: Tokens) => tokensOf(await client.refresh(tokens).expect(200));

  describe('when the token is the live one', () => {
    it('rotates it and leaves one row', async () => {
      const first = tokensOf(await client.register().expect(201));
      const second = await refreshed(first);
      expect(second.refresh).not.toBe(first.refresh);
      await client.self(second).expect(200);
    });
  });

  describe('when the token was replaced within the window', () => {
    it('responds with the identical successor', async () => {
      const first = tokensOf(await client.register().expect(201));
      const second = await refreshed(first);
      await service.advance(9);
      const again = await refreshed(first);
      expect(again.refresh).toBe(second.refresh);
      expect(again.access).not.toBe(second.access);
    });
  });

  describe('when the response with the successor was lost', () => {
    it('recovers, and turns the lost successor into a tripwire', async () => {
      const first = tokensOf(await client.register().expect(201));
      const lost = await refreshed(first);
      await service.advance(3600);
      const recovered = await refreshed(first);
      expect(recovered.refresh).not.toBe(lost.refresh);
      expect((await refreshed(first)).refresh).toBe(recovered.refresh);
      expect((await refreshed(lost)).refresh).toBe(recovered.refresh);
      await service.advance(11);
      const theft = await client.refresh(lost).expect(401);
      expect(clearsCookies(theft)).toBe(true);
      await client.self(recovered).expect(401);
    });
  });

  describe('when the token was superseded', () => {
    it('ends the session', async () => {
      const first = tokensOf(await client.register().expect(201));
      const second = await refreshed(first);
      await service.advance(11);
      const third = await refreshed(second);
      const theft = await client.refresh(first).expect(401);
      expect(clearsCookies(theft)).toBe(true);
      expect(clearsCookies(await client.refresh(third).expect(401))).toBe(true);
      expect(service.logs).toContainEqual(
        expect.objectContaining({ event: 'authn_token_reuse', cause: 'superseded' }),
      );
    });
  });

  const rowsOf = ({ refresh }: Tokens) =>
    service.dataSource.query<Record<string, unknown>[]>(
      'SELECT id, user_id, predecessors FROM refresh_tokens WHERE session_id = $1',
      [decoded(refresh).payload.sid],
    );

  describe.each(MOUNTS)('when the token is the live one, at %s', (mount) => {
    it('responds with 200 with the id, both cookies and no token in the body', async () => {
      const created = await client.register().expect(201);
      const { userId } = created.body as { userId: number };
      const res = await clientOf(service, mount).refresh(tokensOf(created)).expect(200);
      expect(res.body).toStrictEqual({ message: 'Token refreshed successfully', userId });
      const { access_token: access, refresh_token: refresh } = cookiesOf(res);
      expect(access?.attributes).toMatchObject({ 'max-age': '3600', path: '/', httponly: '' });
      expect(refresh?.attributes).toMatchObject({ 'max-age': '2592000', path: '/', httponly: '' });
    });

    it('needs no access token and ignores an invalid one', async () => {
      const { refresh } = tokensOf(await client.register().expect(201));
      const next = tokensOf(await client.refresh({ refresh }).expect(200));
      await client.refresh({ access: 'a.b.c', refresh: next.refresh }).expect(200);
    });

    it('keeps session and user, and has the row’s id as jti', async () => {
      const first = tokensOf(await client.register().expect(201));
      const second = await refreshed(first);
      const [before, after] = [decoded(first.refresh).payload, decoded(second.refresh).payload];
      expect(after).toMatchObject({ sid: before.sid, sub: before.sub });
      expect(after.jti).not.toBe(before.jti);
      expect(await rowsOf(second)).toMatchObject([{ id: after.jti, user_id: Number(after.sub) }]);
    });
  });

  describe('when 8 tabs present the live token at once', () => {
    it('gives all of them the same successor', async () => {
      const first = tokensOf(await client.register().expect(201));
      const answers = await Promise.all(Array.from({ length: 8 }, () => refreshed(first)));
      expect(new Set(answers.map(({ refresh }) => refresh)).size).toBe(1);
      expect(await rowsOf(first)).toHaveLength(1);
    });
  });

  describe('when there is no token', () => {
    it('responds with 401 and sets no cookie', async () => {
      const res = await client.refresh({});
      expectProblem(res, 401);
      expect(tokensOf(res).access ?? '').toBe('');
      expect(tokensOf(res).refresh ?? '').toBe('');
    });

    it('ignores a token in the Authorization header', async () => {
      const { refresh } = tokensOf(await client.register().expect(201));
      const res = await client.refresh({}).set('Authorization', `Bearer ${String(refresh)}`);
      expectProblem(res, 401);
    });

    it('ignores a token in the body', async () => {
      const { refresh } = tokensOf(await client.register().expect(201));
      const res = await client.refresh({}).send({ refreshToken: refresh, refresh_token: refresh });
      expectProblem(res, 401);
    });
  });

  describe('when the token is not valid', () => {
    it('responds with 401 without tokens and keeps the session', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      const bad = badRefreshTokens(service, String(tokens.refresh), String(tokens.access));
      for (const { what, token } of bad) {
        const res = await client.refresh({ refresh: token });
        expect({ what, status: res.status }).toEqual({ what, status: 401 });
        expectProblem(res, 401);
        expect(tokensOf(res).access ?? '').toBe('');
        expect(tokensOf(res).refresh ?? '').toBe('');
      }
      await client.refresh(tokens).expect(200);
    });
  });

  describe('when the token has expired', () => {
    it('responds with 401, clears both cookies and raises no alarm', async () => {
      const tokens = tokensOf(await client.register().expect(201));
      await service.advance(2_592_001);
      const alarms = service.logs.filter(({ event }) => event === 'authn_token_reuse').length;
      const res = await client.refresh(tokens);
      expectProblem(res, 401);
      expect(clearsCookies(res)).toBe(true);
      expect(service.logs.filter(({ event }) => event === 'authn_token_reuse')).toHaveLength(
        alarms,
      );
    });
  });

  describe('when the session has already ended', () => {
    it.each([
      ['by logout', (tokens: Tokens) => client.logout(tokens).expect(200)],
      [
        'with its user',
        ({ refresh }: Tokens) =>
          service.dataSource.query<unknown>('DELETE FROM users WHERE id = $1', [
            decoded(refresh).payload.sub,
          ]),
      ],
    ])('responds with 401, clears both cookies and raises no alarm, %s', async (_how, end) => {
      const tokens = tokensOf(await client.register().expect(201));
      await end(tokens);
      const alarms = service.logs.filter(({ event }) => event === 'authn_token_reuse').length;
      const res = await client.refresh(tokens);
      expectProblem(res, 401);
      expect(clearsCookies(res)).toBe(true);
      expect(service.logs.filter(({ event }) => event === 'authn_token_reuse')).toHaveLength(
        alarms,
      );
    });
  });
});
