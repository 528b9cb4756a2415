import { aUser, clearsCookies, clientOf, tokensOf } from '../support/client';
import { startService, type TestService } from '../support/service';

describe('an account and its owner', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const someone = async () => {
    const user = aUser();
    return { user, tokens: tokensOf(await client.register(user).expect(201)) };
  };

  describe('PATCH /auth/self', () => {
    const rename = (tokens: object, names: unknown) =>
      client.send('patch', '/auth/self', tokens).send(names as object);

    it('changes only the given names, trimmed', async () => {
      const { user, tokens } = await someone();
      const changed = await rename(tokens, {
        firstName: '  Grace ',
        role: 'admin',
        email: 'other@example.com',
      }).expect(200);
      expect(changed.body).toMatchObject({
        user: { firstName: 'Grace', lastName: user.lastName, email: user.email, role: 'customer' },
      });
      const self = await client.self(tokens).expect(200);
      expect(self.body).toMatchObject({ user: (changed.body as { user: object }).user });
    });

    it.each([{}, [], { firstName: '' }, { lastName: null }, { firstName: 1, lastName: 'x' }])(
      'responds with 400 for %j',
      async (names) => {
        const { tokens } = await someone();
        await rename(tokens, names).expect(400);
      },
    );

    it('responds with 401 without a token', async () => {
      await rename({}, { firstName: 'Grace' }).expect(401);
    });
  });

  describe('PATCH /auth/password', () => {
    const change = (tokens: object, currentPassword: unknown, newPassword: unknown) =>
      client.send('patch', '/auth/password', tokens).send({ currentPassword, newPassword });

    it('accepts only the new password, ends the other sessions and renews this one', async () => {
      const { user, tokens } = await someone();
      const other = tokensOf(await client.login(user).expect(200));
      const renewed = tokensOf(
        await change(tokens, user.password, 'a better password').expect(200),
      );

      await client.login(user).expect(401);
      await client.login({ ...user, password: 'a better password' }).expect(200);
      await client.self(other).expect(401);
      await client.refresh(other).expect(401);
      await client.self(renewed).expect(200);
      expect(renewed.refresh).not.toBe(tokens.refresh);
      await client.refresh(renewed).expect(200);
    });

    it('treats a copy of the old refresh token as stolen at once', async () => {
      const { user, tokens } = await someone();
      const renewed = tokensOf(
        await change(tokens, user.password, 'a better password').expect(200),
      );
      expect(clearsCookies(await client.refresh(tokens).expect(401))).toBe(true);
      await client.self(renewed).expect(401);
    });

    it('treats a token that was replaced a moment before the change as stolen, too', async () => {
      const { user, tokens } = await someone();
      const rotated = tokensOf(await client.refresh(tokens).expect(200));
      const renewed = tokensOf(
        await change(rotated, user.password, 'a better password').expect(200),
      );
      expect(clearsCookies(await client.refresh(tokens).expect(401))).toBe(true);
      await client.self(renewed).expect(401);
    });

    it('responds with 401 for a wrong current password, and changes nothing', async () => {
      const { user, tokens } = await someone();
      const refused = await change(tokens, 'not the password', 'a better password').expect(401);
      expect(clearsCookies(refused)).toBe(false);
      await client.refresh(tokens).expect(200);
      await client.login(user).expect(200);
    });

    it('responds with 400 for a new password that a registration would refuse', async () => {
      const { user, tokens } = await someone();
      for (const bad of ['short', 'x'.repeat(73), undefined, { a: 1 }])
        await change(tokens, user.password, bad).expect(400);
    });
  });

  describe('DELETE /auth/self', () => {
    const remove = (tokens: object, password: unknown) =>
      client.send('delete', '/auth/self', tokens).send({ password });

    it('removes the user from every column of every table', async () => {
      const { user, tokens } = await someone();
      await client.login({ ...user, password: 'wrong password' }).expect(401);
      expect(await columnsWith(user.email)).toEqual(['users.email']);
      expect(clearsCookies(await remove(tokens, user.password).expect(200))).toBe(true);
      expect(await columnsWith(user.email)).toEqual([]);

      await client.self(tokens).expect(401);
      expect(clearsCookies(await client.refresh(tokens).expect(401))).toBe(true);
      await client.login(user).expect(401);
      await client.register(user).expect(201);
    });

    it('responds with 401 for a wrong password and deletes nothing', async () => {
      const { tokens } = await someone();
      await remove(tokens, 'not the password').expect(401);
      await client.self(tokens).expect(200);
    });
  });

  async function columnsWith(text: string): Promise<string[]> {
    const columns = await service.dataSource.query<{ name: string; t: string; c: string }[]>(`
      SELECT table_name || '.' || column_name AS name, quote_ident(table_name) AS t,
             quote_ident(column_name) AS c
      FROM information_schema.columns WHERE table_schema = 'public'`);
    const found: string[] = [];
    for (const { name, t, c } of columns) {
      const rows = await service.dataSource.query<unknown[]>(
        `SELECT FROM ${t} WHERE position($1 in lower(${c}::text)) > 0 LIMIT 1`,
        [text],
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  }
});
