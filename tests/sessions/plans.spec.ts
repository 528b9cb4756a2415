import type { DataSource } from 'typeorm';
import * as credentialStatements from '../../src/database/credentialStatements';
import * as limiterStatements from '../../src/database/limiterStatements';
import * as purgeStatements from '../../src/database/purgeStatements';
import * as sessionStatements from '../../src/database/sessionStatements';
import * as userStatements from '../../src/database/userStatements';
import { startService, type TestService } from '../support/service';

const USERS = 100_000;
const SESSIONS = 1_000_000;

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** The nodes of the generic plan. */
async function explain(dataSource: DataSource, text: string): Promise<Plan[]> {
  const [row] = await dataSource.query<{ 'QUERY PLAN': { Plan: Plan }[] }[]>(
    `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${text}`,
  );
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  return plan ? nodesOf(plan) : [];
}

describe('the statements of the service', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
    const runner = service.dataSource.createQueryRunner();
    // The service's own connections end a statement after two seconds.
    await runner.query('SET statement_timeout = 0');
    await runner.query(`
      INSERT INTO users ("firstName", "lastName", email, password)
      SELECT 'Ada', 'Lovelace', 'ada' || n || '@example.com', '$2b$10$' || repeat('x', 53)
      FROM generate_series(1, ${USERS}) AS n`);
    await runner.query(`
      INSERT INTO refresh_tokens (user_id, session_id, session_started_at, expires_at)
      SELECT 1 + n % ${USERS}, gen_random_uuid(), now(), now() + (n - ${SESSIONS / 3}) * interval '1 second'
      FROM generate_series(1, ${SESSIONS}) AS n`);
    await runner.query(`
      INSERT INTO sign_in_networks (user_id, network, last_used_at)
      SELECT n, '127.0.0.1', now() - n * interval '1 minute' FROM generate_series(1, ${USERS}) AS n`);
    await runner.query(`
      INSERT INTO rate_limits (key, points, expire)
      SELECT 'pair:' || n, 1, n FROM generate_series(1, ${USERS}) AS n`);
    await runner.query('ANALYZE');
    await runner.release();
  }, 120_000);
  afterAll(() => service.stop());

  const statements = [
    ...Object.values(sessionStatements),
    ...Object.values(userStatements),
    ...Object.values(purgeStatements),
    ...Object.values(limiterStatements),
    ...Object.values(credentialStatements),
  ].map(({ name, text }) => [name, text] as const);

  describe('when there are a million sessions', () => {
    it.each(statements)('%s finds its rows by an index', async (_name, text) => {
      const nodes = await explain(service.dataSource, text);
      expect(nodes.map((node) => node['Node Type']).join()).toMatch(/Index/);
      expect(nodes.filter((node) => node['Node Type'] === 'Seq Scan')).toEqual([]);
    });

    it('detects a scan of the table without an index', async () => {
      const text = 'SELECT id FROM refresh_tokens WHERE user_agent = $1';
      const nodes = await explain(service.dataSource, text);
      expect(nodes.some((node) => node['Node Type'] === 'Seq Scan')).toBe(true);
    });
  });
});
