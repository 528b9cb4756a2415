import type { Config } from '../../src/config';
import { certsDir } from '../harness/certsDir';
import { query } from '../harness/query';
import { until } from '../harness/until';
import { aUser } from '../support/client';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';

jest.setTimeout(120_000);

/** Requests that the attacker has in flight at all times: more than may wait. */
const LANES = 30;
const QUEUE = 20;
const ROUNDS = 3;
const WRONG = 'not the password';

describe('when one network floods the service', () => {
  let database: Config['database'];
  let service: ServiceProcess;
  const users = Array.from({ length: 5 }, (_value, i) => ({
    ...aUser(),
    address: `203.0.113.${i + 1}`,
  }));
  const [victim] = users;
  const own = Array.from({ length: 4 }, () => aUser());
  beforeAll(async () => {
    database = await createDatabase();
    service = await ServiceProcess.start(database, {
      CERTS_DIR: certsDir(),
      HASH_QUEUE_LIMIT: String(QUEUE),
      RATE_LIMIT_ENABLED: 'true',
      TRUST_PROXY: 'loopback',
    });
    for (const { address, ...user } of users) await post('register', address, user);
    for (const user of own) await post('register', '198.51.100.1', user);
    await query(database, 'INSERT INTO rate_limits VALUES ($1, 100, $2)', [
      'network:198.51.100.6',
      Date.now() + 900_000,
    ]);
  });
  afterAll(() => service.stop('SIGKILL'));

  /** The status of a response to a client behind the proxy. */
  const post = async (route: string, address: string, body: object) => {
    const response = await fetch(`http://127.0.0.1:${service.port}/auth/${route}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.status;
  };

  /** How often the attacker may get which status before it is refused. */
  it.each<[string, (i: number) => [address: string, body: object], status: number, limit: number]>([
    ['logins to one own account', () => ['198.51.100.2', own[0] ?? {}], 200, 100],
    ['logins to own accounts', (i) => ['198.51.100.3', own[i % 4] ?? {}], 200, 400],
    [
      'logins to one own account, from the networks of a /48',
      (i) => [`2001:db8:1:${i.toString(16)}::1`, own[1] ?? {}],
      200,
      100,
    ],
    ['wrong passwords', () => ['198.51.100.4', { ...victim, password: WRONG }], 401, 10],
    ['wrong passwords for many accounts', () => ['198.51.100.5', aUser()], 401, 100],
    ['logins of a network over its limit', () => ['198.51.100.6', own[2] ?? {}], 429, Infinity],
    ['invalid input', () => ['198.51.100.7', { email: 'nonsense', password: 'x' }], 400, 300],
  ])('others log in, and it is refused: %s', async (_what, request, status, limit) => {
    const attacker: number[] = [];
    const honest: number[] = [];
    let flooding = true;
    const lane = async (_value: unknown, number: number) => {
      for (let i = number; flooding; i = (i + LANES) % 0xffff)
        attacker.push(await post('login', ...request(i)));
    };
    const lanes = Promise.all(Array.from({ length: LANES }, lane));
    try {
      await until(() => attacker.length > LANES, 'the flood');
      for (let round = 0; round < ROUNDS; round += 1)
        for (const { address, ...user } of users) honest.push(await post('login', address, user));
      await until(() => attacker.some((got) => got === 429 || got === 503), 'a refusal');
    } finally {
      flooding = false;
      await lanes;
    }

    expect(honest).toEqual(Array(ROUNDS * users.length).fill(200));
    const others = attacker.filter((got) => ![429, 503].includes(got));
    expect(others).toEqual(Array(others.length).fill(status));
    // Requests that are under way when the limit is reached may exceed it.
    expect(others.length).toBeLessThanOrEqual(limit + LANES);
  });
});
