import type http from 'node:http';
import {
  FIELD_ERROR_CODES,
  PROBLEM_CODES,
  type AuthClient,
  type LogoutScope,
} from '../../client/src/index';
import { FIELD_ERROR_CODES as serviceFieldErrorCodes } from '../../src/errors/fieldErrorCodes';
import { PROBLEM_CODES as serviceProblemCodes } from '../../src/errors/problems';
import { aUser } from '../support/client';
import { routesOf } from '../support/routesOf';
import { startService, type TestService } from '../support/service';
import { listen } from './listen';
import { Profile } from './Profile';

describe('the methods of the client', () => {
  const user = aUser();
  const { email, password, firstName, lastName } = user;
  let service: TestService;
  let server: Awaited<ReturnType<typeof listen>>;
  let profile: Profile;
  let client: AuthClient;

  beforeAll(async () => {
    service = await startService();
    server = await listen(service.app as http.RequestListener);
    profile = new Profile(`http://127.0.0.1:${server.port}/`);
    client = profile.tab();
  });
  afterAll(async () => {
    server.stop();
    await service.stop();
  });

  /** Another device of the same user. */
  const signedInElsewhere = async () => {
    const device = new Profile(profile.baseUrl).tab();
    await device.login({ email, password });
    return device;
  };

  it('register, self and login', async () => {
    const { userId } = await client.register(user);
    expect(await client.self()).toStrictEqual({
      id: userId,
      email,
      firstName,
      lastName,
      role: 'customer',
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
    });
    expect(await client.login({ email, password })).toMatchObject({ userId });
  });

  it('refresh', async () => {
    const before = profile.jar.getCookieStringSync(profile.baseUrl);
    await client.refresh();
    expect(profile.jar.getCookieStringSync(profile.baseUrl)).not.toBe(before);
  });

  it('sessions', async () => {
    const device = await signedInElsewhere();
    const [own, other] = (await client.sessions.list()).sort(
      (one, two) => Number(two.current) - Number(one.current),
    );
    expect(own).toMatchObject({ current: true, id: expect.any(String) as string });
    await client.sessions.end(other?.id ?? '');
    await expect(device.self()).rejects.toMatchObject({ status: 401 });
    await signedInElsewhere();
    expect(await client.sessions.endOthers()).toBe(1);
    expect(await client.sessions.list()).toHaveLength(1);
    await expect(client.sessions.end('../self')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('account', async () => {
    expect(await client.account.rename({ firstName: 'Augusta' })).toMatchObject({
      firstName: 'Augusta',
      lastName,
    });
    const newPassword = 'another horse battery';
    await client.account.changePassword({ currentPassword: password, newPassword });
    await client.account.changePassword({ currentPassword: newPassword, newPassword: password });
    expect((await client.self()).firstName).toBe('Augusta');
  });

  it.each<[LogoutScope, boolean, boolean]>([
    ['others', true, false],
    ['current', false, true],
    ['all', false, false],
  ])('logout: %s', async (scope, own, other) => {
    await client.login({ email, password });
    const device = await signedInElsewhere();
    profile.dropAccessToken();
    let signedOut = 0;
    const stop = client.onSignedOut(() => (signedOut += 1));
    await client.logout(scope);
    stop();
    expect(signedOut).toBe(own ? 0 : 1);
    const isSignedIn = ({ self }: AuthClient) =>
      self().then(
        () => true,
        () => false,
      );
    expect([await isSignedIn(client), await isSignedIn(device)]).toEqual([own, other]);
  });

  it('a logout of a session that is over succeeds, but it cannot end the others', async () => {
    await client.logout();
    await expect(client.logout('all')).rejects.toMatchObject({ status: 401 });
    await expect(client.logout('others')).rejects.toMatchObject({ status: 401 });
  });

  it('deletion of the account', async () => {
    await client.login({ email, password });
    await client.account.delete({ password });
    await expect(client.login({ email, password })).rejects.toMatchObject({ status: 401 });
  });

  it('call each route of the service', () => {
    const called = profile.requests.map((request) => request.replace(/(\/sessions)\/.+/, '$1/:id'));
    const routes = routesOf(service.app).filter((route) => route.includes(' /auth/'));
    expect([...new Set(called)].sort()).toEqual(routes.sort());
  });
});

describe('problems', () => {
  let service: TestService;
  let server: Awaited<ReturnType<typeof listen>>;
  let profile: Profile;
  let client: AuthClient;

  beforeAll(async () => {
    service = await startService({ RATE_LIMIT_ENABLED: 'true' });
    server = await listen(service.app as http.RequestListener);
  });
  afterAll(async () => {
    server.stop();
    await service.stop();
  });
  beforeEach(() => {
    profile = new Profile(`http://127.0.0.1:${server.port}`);
    client = profile.tab();
  });

  it('have the codes of the service', () => {
    expect(PROBLEM_CODES).toEqual(serviceProblemCodes);
    expect(FIELD_ERROR_CODES).toEqual(serviceFieldErrorCodes);
  });

  it('name each invalid field', async () => {
    await expect(client.register(aUser({ email: 'ada', firstName: '' }))).rejects.toMatchObject({
      name: 'AuthProblem',
      message: 'The request has invalid fields',
      status: 400,
      title: 'Bad Request',
      type: 'urn:auth-service:problem:invalid-input',
      code: 'invalid-input',
      errors: [
        { path: 'firstName', code: 'required', msg: 'firstName is required' },
        { path: 'email', code: 'invalid-email' },
      ],
      requestId: expect.stringMatching(/^[\w-]{8,}$/) as string,
      retryAfter: 0,
    });
  });

  it('say when to try again', async () => {
    const user = aUser();
    await client.register(user);
    const guess = () => client.login({ ...user, password: 'not this one' });
    for (let i = 0; i < 10; i += 1) await expect(guess()).rejects.toMatchObject({ status: 401 });
    const problem: unknown = await guess().catch((error: unknown) => error);
    expect(problem).toMatchObject({ status: 429, code: 'too-many-attempts' });
    expect((problem as { retryAfter: number }).retryAfter).toBeGreaterThan(0);
    expect(await client.self()).toMatchObject({ email: user.email });
  });

  it('of a proxy have a status only', async () => {
    profile.network = () =>
      Promise.resolve(
        new Response('<h1>oops</h1>', {
          status: 502,
          statusText: 'Bad Gateway',
          headers: { 'Content-Type': 'text/html' },
        }),
      );
    await expect(client.self()).rejects.toMatchObject({
      message: 'HTTP 502',
      status: 502,
      title: 'Bad Gateway',
      type: 'about:blank',
      code: undefined,
      errors: [],
      requestId: undefined,
    });
  });
});
