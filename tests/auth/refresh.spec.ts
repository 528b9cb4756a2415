import { clearsCookies, clientOf, tokensOf, type Tokens } from '../support/client';
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
    it('answers with the identical successor', async () => {
      const first = tokensOf(await client.register().expect(201));
      const second = await refreshed(first);
      await service.advance(9);
      const again = await refreshed(first);
      expect(again.refresh).toBe(second.refresh);
      expect(again.access).not.toBe(second.access);
    });
  });

  describe('when the answer with the successor was lost', () => {
    it('recovers, and makes a tripwire of the lost successor', async () => {
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
});
