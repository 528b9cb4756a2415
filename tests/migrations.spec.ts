import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { createDataSource, MIGRATION_OPTIONS } from '../src/config/data-source';
import { rebuildSessions } from '../src/database/rebuildSessions';
import { revertMigration } from '../src/database/revertMigration';
import { runMigrations } from '../src/database/runMigrations';
import { migrations } from '../src/migrations';
import { canonicalEmail } from '../src/validators/canonicalEmail';
import { createDatabase } from './support/service';

const INSERT_USER =
  'INSERT INTO users ("firstName", "lastName", email, password) VALUES ($1, $2, $3, $4) RETURNING id';
const userWith = (email: string) => ['A', 'B', email, 'x'.repeat(60)];

describe('migrations', () => {
  let dataSource: DataSource;
  beforeAll(async () => {
    dataSource = await createDataSource(
      await createDatabase('template1'),
      MIGRATION_OPTIONS,
    ).initialize();
  });
  afterAll(() => dataSource.destroy());

  const rows = <Row>(sql: string, values: unknown[] = []) =>
    dataSource.query<Row[]>(sql, values as never);
  const tables = async () =>
    (
      await rows<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
      )
    )
      .map(({ name }) => name)
      .filter((name) => name !== 'migrations')
      .sort();
  /** Everything that migrations can create, for a comparison. */
  const schema = async () => ({
    columns: await rows(
      `SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,
              column_default, identity_generation
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
       ORDER BY 1, 2`,
    ),
    indexes: await rows(
      `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'migrations'
       ORDER BY 1`,
    ),
    constraints: await rows(
      `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace ORDER BY 1`,
    ),
    others: await rows(
      `SELECT relkind, count(*) FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i' AND relname NOT LIKE 'migrations%'
       GROUP BY 1 ORDER BY 1`,
    ),
  });

  it('lists every file of the folder, in order', () => {
    const files = readdirSync(path.join(__dirname, '../src/migrations'))
      .filter((file) => file !== 'index.ts')
      .sort();
    const names = files.map((file) => file.replace(/^(\d+)-(\w+)\.ts$/, '$2$1'));
    expect(migrations.map(({ name }) => name)).toEqual(names);
  });

  describe('when they run up, down one by one, and up again', () => {
    it('ends with an empty schema after down and the same schema after up', async () => {
      await runMigrations(dataSource);
      expect(await tables()).toEqual(expect.arrayContaining(['refresh_tokens', 'users']));
      const first = await schema();
      for (const { name } of migrations.toReversed())
        expect(await revertMigration(dataSource)).toBe(name);
      expect(await revertMigration(dataSource)).toBeUndefined();
      expect(await tables()).toEqual([]);
      const empty = await schema();
      expect([empty.columns, empty.indexes, empty.others]).toEqual([[], [], []]);
      expect(await runMigrations(dataSource)).toHaveLength(migrations.length);
      expect(await schema()).toEqual(first);
    });

    it('ends with the same schema after partitions and back', async () => {
      await runMigrations(dataSource);
      const first = await schema();
      await rebuildSessions(dataSource, 3);
      expect(await tables()).toEqual(expect.arrayContaining(['refresh_tokens_2']));
      expect(await runMigrations(dataSource)).toEqual([]);
      await rebuildSessions(dataSource);
      expect(await schema()).toEqual(first);
    });

    it('goes down and up from partitions', async () => {
      await runMigrations(dataSource);
      await rebuildSessions(dataSource, 3);
      while ((await revertMigration(dataSource)) !== undefined);
      expect(await tables()).toEqual([]);
      expect(await runMigrations(dataSource)).toHaveLength(migrations.length);
    });

    it('keeps what a later migration adds, in both directions', async () => {
      await runMigrations(dataSource);
      await rebuildSessions(dataSource, 3);
      await rows('ALTER TABLE refresh_tokens ADD COLUMN device text');
      await rows('CREATE INDEX refresh_tokens_device_idx ON refresh_tokens (device)');
      for (const form of [undefined, 3]) {
        await rebuildSessions(dataSource, form);
        expect(
          await rows(
            `SELECT indexname FROM pg_indexes WHERE tablename = 'refresh_tokens'
             AND indexname = 'refresh_tokens_device_idx'`,
          ),
        ).toHaveLength(1);
      }
      await rebuildSessions(dataSource);
      await rows('ALTER TABLE refresh_tokens DROP COLUMN device');
    });

    it('does nothing the second time', async () => {
      await dataSource.runMigrations();
      expect(await dataSource.runMigrations()).toEqual([]);
      expect(await dataSource.showMigrations()).toBe(false);
    });
  });

  describe('when accounts have e-mails in an earlier form', () => {
    const emails = async () =>
      (await rows<{ email: string }>('SELECT email FROM users ORDER BY id')).map(
        ({ email }) => email,
      );
    beforeEach(async () => {
      await runMigrations(dataSource);
      await rows('DELETE FROM users');
      expect(await revertMigration(dataSource)).toBe('CanonicalEmails1700000000005');
    });
    afterEach(() => rows('DELETE FROM users'));

    it('gives each the form in which it signs in', async () => {
      const earlier = ['ada@example.com', 'müller@bücher.example', 'straße@ΠΑΡΆΔΕΙΓΜΑ.example'];
      for (const email of earlier) await rows(INSERT_USER, userWith(email));
      await runMigrations(dataSource);
      expect(await emails()).toEqual(earlier.map(canonicalEmail));
      expect(await emails()).toContain('müller@xn--bcher-kva.example');
    });

    it('leaves an account alone whose new form is taken, and says its id', async () => {
      const written: string[] = [];
      const write = process.stderr.write.bind(process.stderr);
      const earlier = ['ada@xn--bcher-kva.example', 'ada@bücher.example'];
      const ids: unknown[] = [];
      for (const email of earlier) ids.push((await rows(INSERT_USER, userWith(email)))[0]);
      process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
      try {
        await runMigrations(dataSource);
      } finally {
        process.stderr.write = write;
      }
      expect(await emails()).toEqual(earlier);
      expect(written.join('')).toMatch(new RegExp(`: ${(ids[1] as { id: number }).id}\\n$`));
      expect(written.join('')).not.toContain('@');
    });

    it('reaches every one of several batches', async () => {
      await rows(
        `INSERT INTO users ("firstName", "lastName", email, password)
         SELECT 'A', 'B', 'user' || n || '@bücher.example', 'x' FROM generate_series(1, 2500) AS n`,
      );
      await runMigrations(dataSource);
      expect(new Set(await emails()).size).toBe(2_500);
      expect((await emails()).filter((email) => !email.endsWith('@xn--bcher-kva.example'))).toEqual(
        [],
      );
    });
  });

  describe('when all have run', () => {
    it('agrees with the entities', async () => {
      await dataSource.runMigrations();
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    });

    it.each([
      ['users', 'id', 'integer'],
      ['users', 'firstName', 'character varying'],
      ['users', 'lastName', 'character varying'],
      ['users', 'email', 'character varying'],
      ['users', 'password', 'character varying'],
      ['users', 'role', 'character varying'],
      ['users', 'created_at', 'timestamp with time zone'],
      ['users', 'updated_at', 'timestamp with time zone'],
      ['refresh_tokens', 'id', 'bigint'],
      ['refresh_tokens', 'user_id', 'integer'],
      ['refresh_tokens', 'expires_at', 'timestamp with time zone'],
      ['refresh_tokens', 'created_at', 'timestamp with time zone'],
      ['refresh_tokens', 'updated_at', 'timestamp with time zone'],
    ])('has %s.%s of type %s, not null', async (table, column, type) => {
      expect(
        await rows(
          `SELECT data_type, is_nullable FROM information_schema.columns
           WHERE table_name = $1 AND column_name = $2`,
          [table, column],
        ),
      ).toEqual([{ data_type: type, is_nullable: 'NO' }]);
    });

    it('gives a user the role customer', async () => {
      const [user] = await rows<{ id: number }>(INSERT_USER, userWith('role@example.com'));
      expect(await rows('SELECT role FROM users WHERE id = $1', [user?.id])).toEqual([
        { role: 'customer' },
      ]);
    });

    it.each([
      ['as it is', 'taken@example.com'],
      ['in capitals', 'TAKEN@EXAMPLE.COM'],
      ['in mixed case', 'Taken@Example.com'],
    ])('refuses a second account with the e-mail, %s', async (_how, email) => {
      await rows('DELETE FROM users');
      await rows(INSERT_USER, userWith('taken@example.com'));
      await expect(rows(INSERT_USER, userWith(email))).rejects.toMatchObject({
        driverError: { code: '23505' },
      });
    });

    it('deletes the sessions together with the user', async () => {
      const [user] = await rows<{ id: number }>(INSERT_USER, userWith('cascade@example.com'));
      await rows(
        `INSERT INTO refresh_tokens (user_id, session_id, session_started_at, expires_at)
         VALUES ($1, gen_random_uuid(), now(), now())`,
        [user?.id],
      );
      await rows('DELETE FROM users WHERE id = $1', [user?.id]);
      expect(await rows('SELECT id FROM refresh_tokens WHERE user_id = $1', [user?.id])).toEqual(
        [],
      );
    });

    it.each(['user_id', 'session_id', 'expires_at'])(
      'has a valid index that begins with refresh_tokens.%s',
      async (column) => {
        const found = await rows(
          `SELECT index.indexrelid FROM pg_index AS index
           JOIN pg_attribute AS attribute
             ON attribute.attrelid = index.indrelid AND attribute.attnum = index.indkey[0]
           WHERE index.indrelid = 'refresh_tokens'::regclass AND attribute.attname = $1
             AND index.indisvalid AND index.indpred IS NULL`,
          [column],
        );
        expect(found.length).toBeGreaterThan(0);
      },
    );

    it('has only constraints with chosen names', async () => {
      const found = await rows<{ name: string }>(
        `SELECT conname AS name FROM pg_constraint
         WHERE conrelid IN ('users'::regclass, 'refresh_tokens'::regclass) AND contype <> 'n'`,
      );
      for (const { name } of found) expect(name).toMatch(/^(users|refresh_tokens)_[a-z_]+$/);
    });
  });
});
