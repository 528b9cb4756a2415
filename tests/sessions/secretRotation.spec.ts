import type { Config } from '../../src/config';
import { certsDir } from '../harness/certsDir';
import { aUser, type Tokens } from '../support/client';
import { decoded } from '../support/jws';
import { ServiceProcess } from '../support/process';
import { createDatabase } from '../support/service';

const OLD = 'the old refresh secret of these replicas';
const NEW = 'the new refresh secret of these replicas';

/** The steps of docs/operations.md. */
const STEPS: NodeJS.ProcessEnv[] = [
  { REFRESH_JWT_SECRET: OLD },
  { REFRESH_JWT_SECRET: OLD, REFRESH_JWT_SECRET_NEXT: NEW },
  { REFRESH_JWT_SECRET: NEW, REFRESH_JWT_SECRET_PREVIOUS: OLD },
  { REFRESH_JWT_SECRET: NEW },
];

describe('two replicas whose refresh secret changes step by step', () => {
  let database: Config['database'];
  const shared = { CERTS_DIR: certsDir(), REFRESH_REUSE_WINDOW_SECONDS: '60' };
  const replicas: ServiceProcess[] = [];
  /** All replicas ever started, for their logs. */
  const started: ServiceProcess[] = [];

  const start = async (at: number, settings: NodeJS.ProcessEnv) => {
    // Replicas may also differ in their issuer.
    const issuer = { JWT_ISSUER: `http://replica-${at}.test` };
    const replica = await ServiceProcess.start(database, { ...shared, ...issuer, ...settings });
    replicas[at] = replica;
    started.push(replica);
  };
  beforeAll(async () => {
    database = await createDatabase();
    await Promise.all([start(0, STEPS[0] ?? {}), start(1, STEPS[0] ?? {})]);
  }, 60_000);
  afterAll(() => Promise.all(replicas.map((replica) => replica.stop())));

  describe('when clients keep refreshing at both of them', () => {
    let tabs: Tokens;
    const statuses: number[] = [];
    const refreshAt = async (at: number, tokens: Tokens) => {
      const answer = await replicas[at]?.post('/auth/refresh', tokens);
      if (answer) statuses.push(answer.status);
      return answer?.tokens ?? {};
    };
    /** Each replica rotates once, and the other replays. */
    const traffic = async (ats: number[]) => {
      for (const at of ats) {
        const both = await Promise.all([refreshAt(at, tabs), refreshAt(ats[0] ?? at, tabs)]);
        expect(decoded(both[1].refresh).payload.jti).toBe(decoded(both[0].refresh).payload.jti);
        tabs = both[0];
      }
    };

    it('logs nobody out and finds no theft', async () => {
      tabs = (await replicas[0]?.post('/auth/register', {}, aUser()))?.tokens ?? {};
      for (const settings of STEPS.slice(1)) {
        for (const at of [0, 1]) {
          const other = 1 - at;
          await traffic([at, other, at]);
          await replicas[at]?.stop();
          await Promise.all([start(at, settings), traffic([other, other])]);
          await traffic([at, other, at]);
        }
      }
      expect(statuses.length).toBeGreaterThan(80);
      expect(new Set(statuses)).toEqual(new Set([200]));
      const events = started.flatMap(({ logs }) => logs.map(({ event }) => event));
      expect(events).not.toContain('authn_token_reuse');
      expect(events).not.toContain('authz_fail');
    }, 120_000);
  });
});
