import {
  aUser,
  clearsCookies,
  clientOf,
  cookiesOf,
  tokensOf,
  type Tokens,
} from '../support/client';
import { startService, type TestService } from '../support/service';

interface Listed {
  id: string;
  current: boolean;
  [key: string]: unknown;
}

describe('sessions and their user', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService({ SESSIONS_PER_USER: '5' });
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  /** A user with several sessions, the oldest first. */
  const someone = async (count: number) => {
    const user = aUser();
    const sessions = [tokensOf(await client.register(user).expect(201))];
    while (sessions.length < count) sessions.push(tokensOf(await client.login(user).expect(200)));
    return { user, sessions: sessions as [Tokens, ...Tokens[]] };
  };
  const list = async (tokens: Tokens) => {
    const res = await client.send('get', '/auth/sessions', tokens).expect(200);
    return (res.body as { sessions: Listed[] }).sessions;
  };
  const isAlive = async (tokens: Tokens) => (await client.self(tokens)).status === 200;
  const aliveOf = (sessions: Tokens[]) => Promise.all(sessions.map(isAlive));

  describe('GET /auth/sessions', () => {
    it('lists each live one with its details, the most recently used first', async () => {
      const { sessions } = await someone(2);
      const res = await client
        .send('get', '/auth/sessions', sessions[0])
        .set('User-Agent', 'reader')
        .expect(200);
      const listed = (res.body as { sessions: Listed[] }).sessions;
      expect(listed.map(({ current }) => current)).toEqual([false, true]);
      expect(Object.keys(listed[0] ?? {}).sort()).toEqual(
        ['id', 'createdAt', 'lastUsedAt', 'expiresAt', 'userAgent', 'ipAddress', 'current'].sort(),
      );
      expect(listed[0]?.ipAddress).toBe('127.0.0.1');
      for (const key of ['createdAt', 'lastUsedAt', 'expiresAt'])
        expect(listed[0]?.[key]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    });

    it('shows the client that used it last', async () => {
      const { sessions } = await someone(1);
      const res = await client.refresh(sessions[0]).set('User-Agent', 'x'.repeat(400)).expect(200);
      const [session] = await list(tokensOf(res));
      expect(session?.userAgent).toBe('x'.repeat(255));
    });

    it('shows no session of another user, and responds with 401 without a token', async () => {
      const { sessions } = await someone(1);
      await someone(1);
      expect(await list(sessions[0])).toHaveLength(1);
      await client.send('get', '/auth/sessions').expect(401);
    });
  });

  describe('DELETE /auth/sessions/:id', () => {
    it('ends only that one', async () => {
      const { sessions } = await someone(3);
      const other = (await list(sessions[0])).filter(({ current }) => !current)[1];
      const res = await client.send('delete', `/auth/sessions/${other?.id ?? ''}`, sessions[0]);
      expect(res.status).toBe(200);
      expect(clearsCookies(res)).toBe(false);
      expect(await aliveOf(sessions)).toEqual([true, false, true]);
    });

    it('clears the cookies when it is the current one', async () => {
      const { sessions } = await someone(1);
      const [own] = await list(sessions[0]);
      const res = await client.send('delete', `/auth/sessions/${own?.id ?? ''}`, sessions[0]);
      expect(res.status).toBe(200);
      expect(clearsCookies(res)).toBe(true);
      expect(await isAlive(sessions[0])).toBe(false);
    });

    it("responds with 404 for another user's session, an ended one and an invalid id", async () => {
      const { sessions } = await someone(1);
      const stranger = await someone(1);
      const [foreign] = await list(stranger.sessions[0]);
      for (const id of [
        foreign?.id ?? '',
        '00000000-0000-4000-8000-000000000000',
        '1',
        '%00',
        '%ff',
      ])
        await client.send('delete', `/auth/sessions/${id}`, sessions[0]).expect(404);
      expect(await isAlive(stranger.sessions[0])).toBe(true);
    });
  });

  describe('DELETE /auth/sessions', () => {
    it('ends all but the current one', async () => {
      const { sessions } = await someone(3);
      const stranger = await someone(1);
      const res = await client.send('delete', '/auth/sessions', sessions[1]).expect(200);
      expect(res.body).toMatchObject({ ended: 2 });
      expect(await aliveOf(sessions)).toEqual([false, true, false]);
      expect(await isAlive(stranger.sessions[0])).toBe(true);
    });
  });

  describe('when several sessions end the others at once', () => {
    it('keeps one of them', async () => {
      const { sessions } = await someone(5);
      const answers = await Promise.all(
        sessions.map((tokens) => client.send('delete', '/auth/sessions', tokens)),
      );
      const spared = answers.map(({ status }) => status === 200);
      expect(spared.filter(Boolean)).toHaveLength(1);
      expect(await aliveOf(sessions)).toEqual(spared);
    });
  });

  describe('POST /auth/logout', () => {
    const logout = (scope: string, tokens: Tokens) =>
      client.send('post', `/auth/logout?scope=${scope}`, tokens);

    it('ends the current session by default, and succeeds again', async () => {
      const { sessions } = await someone(2);
      expect(clearsCookies(await client.logout(sessions[0]).expect(200))).toBe(true);
      expect(clearsCookies(await client.logout(sessions[0]).expect(200))).toBe(true);
      expect(await aliveOf(sessions)).toEqual([false, true]);
    });

    it('ends the others, and keeps the cookies', async () => {
      const { sessions } = await someone(3);
      expect(clearsCookies(await logout('others', sessions[2] ?? {}).expect(200))).toBe(false);
      expect(await aliveOf(sessions)).toEqual([false, false, true]);
    });

    it('ends all of them', async () => {
      const { sessions } = await someone(3);
      expect(clearsCookies(await logout('all', sessions[0]).expect(200))).toBe(true);
      expect(await aliveOf(sessions)).toEqual([false, false, false]);
    });

    it('ends no other session from one that has ended', async () => {
      const { sessions } = await someone(2);
      await client.logout(sessions[0]).expect(200);
      await logout('all', sessions[0]).expect(401);
      await logout('others', sessions[0]).expect(401);
      expect(await isAlive(sessions[1] ?? {})).toBe(true);
    });

    it('responds with 400 for an unknown scope and ends nothing', async () => {
      const { sessions } = await someone(1);
      for (const scope of ['everything', '', 'all&scope=current', 'current&scope=all'])
        await logout(scope, sessions[0]).expect(400);
      expect(await isAlive(sessions[0])).toBe(true);
    });

    it('refuses two tokens of two sessions', async () => {
      const { sessions } = await someone(2);
      const [mine, other] = sessions;
      await client.logout({ access: mine.access, refresh: other?.refresh }).expect(401);
      expect(await aliveOf(sessions)).toEqual([true, true]);
    });
  });

  describe('when a user has the maximum of sessions', () => {
    it('ends the least recently used one at the next login', async () => {
      const { user, sessions } = await someone(5);
      const used = tokensOf(await client.refresh(sessions[0]).expect(200));
      const newest = tokensOf(await client.login(user).expect(200));
      expect(await aliveOf([used, ...sessions.slice(1), newest])).toEqual([
        true,
        false,
        true,
        true,
        true,
        true,
      ]);
    });

    it('keeps the limit when logins arrive at once', async () => {
      const { user, sessions } = await someone(1);
      await Promise.all(Array.from({ length: 12 }, () => client.login(user).expect(200)));
      const { access } = tokensOf(await client.login(user).expect(200));
      expect(await list({ access })).toHaveLength(5);
      expect(await isAlive(sessions[0])).toBe(false);
    });
  });

  describe('when SESSION_LIFETIME_DAYS is set', () => {
    it('ends a session that was not used for that time, and sets its cookies accordingly', async () => {
      const brief = await startService({ SESSION_LIFETIME_DAYS: '2' });
      const visitor = clientOf(brief);
      const res = await visitor.register().expect(201);
      expect(cookiesOf(res).refresh_token?.attributes['max-age']).toBe(String(2 * 86_400));
      await brief.advance(2 * 86_400 + 1);
      expect(clearsCookies(await visitor.refresh(tokensOf(res)).expect(401))).toBe(true);
      await brief.stop();
    });
  });

  describe('when a session has lived for 90 days', () => {
    it('ends it, however often it was refreshed', async () => {
      const fresh = await startService();
      const mortal = clientOf(fresh);
      let tokens = tokensOf(await mortal.register().expect(201));
      for (const days of [29, 29, 29]) {
        await fresh.advance(days * 86_400);
        tokens = tokensOf(await mortal.refresh(tokens).expect(200));
      }
      await fresh.advance(3 * 86_400 - 60);
      tokens = tokensOf(await mortal.refresh(tokens).expect(200));
      await fresh.advance(120);
      expect(clearsCookies(await mortal.refresh(tokens).expect(401))).toBe(true);
      await fresh.stop();
    });
  });
});
