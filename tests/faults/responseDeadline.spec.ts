import { User } from '../../src/entity/User';
import { aUser, clientOf } from '../support/client';
import { until } from '../harness/until';
import { startService, type TestService } from '../support/service';

describe('a registration whose steps are slow, though none reaches its own limit', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ RATE_LIMIT_ENABLED: 'true', BCRYPT_ROUNDS: '15' });
    await service.dataSource.query(`
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(1.9); RETURN NULL; END $$;
      CREATE TRIGGER slow AFTER INSERT ON rate_limits EXECUTE FUNCTION slow();
      CREATE TRIGGER slow AFTER INSERT ON users EXECUTE FUNCTION slow();`);
  });
  afterAll(() => service.stop());

  it('gets 503, and ends as if its response had been lost', async () => {
    const user = aUser();
    const response = await clientOf(service).register(user);
    const { status, headers } = response;
    const body: unknown = response.body;
    expect([status, body]).toEqual([
      503,
      expect.objectContaining({ instance: headers['x-request-id'] }),
    ]);
    expect(headers).toMatchObject({ 'retry-after': '1' });

    const users = service.dataSource.getRepository(User);
    await until(() => users.existsBy({ email: user.email }), 'the user');
    const events = () => service.logs.map(({ event, code }) => [event, code]);
    await until(() => events().some(([event]) => event === 'user_created'), 'the event');
    expect(events().filter(([event]) => event === 'request_failed')).toEqual([
      ['request_failed', 'unavailable'],
    ]);
  });
});
