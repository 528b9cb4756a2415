import jwt from 'jsonwebtoken';
import { clearsCookies, clientOf, tokensOf } from '../support/client';
import { REFRESH_SECRET, startService, type TestService } from '../support/service';

describe('a stolen refresh token', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  /** Presents the token, and expects that it ends the session with this cause. */
  const expectTheft = async (refresh: string | undefined, cause: string) => {
    const res = await client.refresh({ refresh }).expect(401);
    expect(clearsCookies(res)).toBe(true);
    const claims = jwt.decode(refresh ?? '') as jwt.JwtPayload;
    const event = service.logs.find(({ requestId }) => requestId === res.headers['x-request-id']);
    expect(event).toMatchObject({
      event: 'authn_token_reuse',
      level: 'error',
      cause,
      sessionId: claims.sid as string,
      userId: Number(claims.sub),
      ipAddress: '127.0.0.1',
    });
    const rows = await service.dataSource.query<unknown[]>(
      'SELECT FROM refresh_tokens WHERE session_id = $1',
      [claims.sid],
    );
    expect(rows).toEqual([]);
  };
  const session = async () => {
    const first = tokensOf(await client.register().expect(201));
    const second = tokensOf(await client.refresh(first).expect(200));
    return { first, second };
  };
  const forge = (token: string | undefined, claims: object) =>
    jwt.sign({ ...(jwt.decode(token ?? '') as object), ...claims }, REFRESH_SECRET);

  describe('when it was superseded', () => {
    it('ends the session and keeps the user’s other ones', async () => {
      const { first, second } = await session();
      const other = await session();
      await service.advance(11);
      await client.refresh(second).expect(200);
      await expectTheft(first.refresh, 'superseded');
      await client.self(other.second).expect(200);
    });
  });

  describe('when it was replaced too long before the live token was created', () => {
    it('ends the session despite the refreshes since', async () => {
      const { first, second } = await session();
      await service.advance(6);
      const third = tokensOf(await client.refresh(second).expect(200));
      await service.advance(6);
      await client.refresh(third).expect(200);
      await expectTheft(first.refresh, 'superseded');
    });
  });

  describe('when it is a tripwire', () => {
    it('ends the session', async () => {
      const { first, second: lost } = await session();
      await service.advance(3_600);
      await client.refresh(first).expect(200);
      await service.advance(11);
      await expectTheft(lost.refresh, 'tripwire');
    });
  });

  describe('when it has a valid signature but was never issued', () => {
    it('ends the session for a future token', async () => {
      const { second } = await session();
      await expectTheft(forge(second.refresh, { jti: '9223372036854775807' }), 'unknown');
    });

    it('ends the session for a live token of another user', async () => {
      const { second } = await session();
      await expectTheft(forge(second.refresh, { sub: '2147483647' }), 'unknown');
    });
  });
});
