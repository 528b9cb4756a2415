import { clearsCookies, clientOf, tokensOf, type Tokens } from '../support/client';
import { startService, type TestService } from '../support/service';

describe('a session whose row has expired before its tokens', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  /** The replaced and the live token of a session that an operator then lets expire. */
  const expired = async (): Promise<[Tokens, Tokens]> => {
    const older = tokensOf(await client.register().expect(201));
    const live = tokensOf(await client.refresh(older).expect(200));
    await service.dataSource.query('UPDATE refresh_tokens SET expires_at = test_clock.now()');
    return [older, live];
  };
  const alarms = () => service.logs.filter(({ event }) => event === 'authn_token_reuse');

  it.each([
    ['its live token', 1],
    ['a predecessor', 0],
  ] as const)('responds with 401 without alarm when %s is presented', async (_name, index) => {
    const tokens = (await expired())[index];
    expect(clearsCookies(await client.refresh(tokens).expect(401))).toBe(true);
    expect(alarms()).toEqual([]);
  });

  it('is refused by the guarded routes, and is not listed', async () => {
    const [, live] = await expired();
    await client.self(live).expect(401);
    await client.send('get', '/auth/sessions', live).expect(401);
  });
});
