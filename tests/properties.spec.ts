import fc from 'fast-check';
import type { Response, Test } from 'supertest';
import { aUser, clientOf, tokensOf } from './support/client';
import { expectProblem } from './support/problem';
import { startService, type TestService } from './support/service';

const RUNS = 120;
/** Where a run hashes up to four passwords. */
const COSTLY_RUNS = 60;

/** Any value of a field, biased towards nearly valid ones. */
const fieldValue = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  // UTF-16 code units, lone surrogates among them.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.emailAddress() },
  // A mailbox in any script.
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.domain())
      .map(([local, domain]) => `${local}@${domain}`),
  },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString') },
  { weight: 1, arbitrary: fc.array(fc.emailAddress(), { maxLength: 2 }) },
);

const registration = fc.record(
  { firstName: fieldValue, lastName: fieldValue, email: fieldValue, password: fieldValue },
  { requiredKeys: [] },
);

/** A registration with one arbitrary field, so that the rules of each field are reached. */
const nearlyRight = fc
  .record({
    field: fc.constantFrom('firstName', 'lastName', 'email', 'password'),
    value: fieldValue,
  })
  .map(({ field, value }) => ({ ...aUser(), [field]: value }));

const body = fc.oneof(fc.jsonValue({ maxDepth: 6 }), registration);

/** Characters that Node sends unchanged in a header, except those that end a cookie. */
const headerText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.integer({ min: 0x80, max: 0xff }),
      fc.constantFrom(...Array.from('.=%"\\j:{}-_', (c) => c.charCodeAt(0))),
    ),
    { maxLength: 200 },
  )
  .map((codes) => String.fromCharCode(...codes).replaceAll(';', ''));

const segment = fc.oneof(
  fc.string({ maxLength: 60 }).map((text) => Buffer.from(text).toString('base64url')),
  fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
  fc.constantFrom(
    ...['{"alg":"none"}', '{"alg":"RS256","typ":"at+jwt"}', '{"alg":"HS256","typ":"JWT"}'].map(
      (header) => Buffer.from(header).toString('base64url'),
    ),
  ),
);
const token = fc.oneof(
  headerText,
  headerText.map(encodeURIComponent),
  fc.jsonValue().map((value) => encodeURIComponent(`j:${JSON.stringify(value)}`)),
  fc.tuple(segment, segment, segment).map((parts) => parts.join('.')),
);

describe('for any input', () => {
  let service: TestService;
  let client: ReturnType<typeof clientOf>;
  beforeAll(async () => {
    service = await startService();
    client = clientOf(service);
  });
  afterAll(() => service.stop());

  const expectAnswer = (res: Response, success: number) => {
    if (res.status === success) return;
    expect([400, 401, 409, 413]).toContain(res.status);
    expectProblem(res, res.status);
  };
  const holds = (
    arbitrary: fc.Arbitrary<unknown>,
    check: (value: unknown) => Promise<void>,
    numRuns = RUNS,
  ) => fc.assert(fc.asyncProperty(arbitrary, check), { numRuns });

  describe.each([
    ['register', 201],
    ['login', 200],
  ] as const)('when any JSON is sent to %s', (route, success) => {
    it('responds with success or a problem, never with a 5xx', async () => {
      await holds(body, async (value) => {
        const res = await client.raw('post', `/auth/${route}`, JSON.stringify(value));
        expectAnswer(res, success);
      });
    });

    it('does so for any bytes', async () => {
      await holds(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const res = await client.raw('post', `/auth/${route}`, Buffer.from(bytes as Uint8Array));
        if ((bytes as Uint8Array).length === 0) expect(res.status).toBeLessThan(500);
        else expectAnswer(res, success);
      });
    });
  });

  describe('when one field of a registration is anything', () => {
    it('responds with success or a problem, and a created account can sign in', async () => {
      await holds(
        nearlyRight,
        async (value) => {
          const res = await client.raw('post', '/auth/register', JSON.stringify(value));
          expectAnswer(res, 201);
          if (res.status === 201) {
            const { email, password } = value as { email: string; password: string };
            for (const spelling of [email, email.toUpperCase(), ` ${email.normalize('NFD')}`])
              expect((await client.login({ email: spelling, password })).status).toBe(200);
          }
        },
        COSTLY_RUNS,
      );
    });
  });

  const places: [string, (value: string) => Test][] = [
    ['the access cookie at self', (access) => client.self({ access })],
    [
      'Bearer at self',
      (value) => client.send('get', '/auth/self').set('Authorization', `Bearer ${value}`),
    ],
    ['the refresh cookie at refresh', (refresh) => client.refresh({ refresh })],
    ['both cookies at logout', (value) => client.logout({ access: value, refresh: value })],
  ];
  describe.each(places)('when any text comes as %s', (_place, send) => {
    it('responds with 401', async () => {
      await holds(token, async (value) => {
        expectProblem(await send(value as string), 401);
      });
    });
  });

  describe('when a good access token comes with any refresh token', () => {
    it('responds with 401 at logout and keeps the session', async () => {
      const { access } = tokensOf(await client.register().expect(201));
      await holds(token, async (refresh) => {
        expectProblem(await client.logout({ access, refresh: refresh as string }), 401);
      });
      await client.self({ access }).expect(200);
    });
  });
});
