import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLimits1700000000003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // The columns that rate-limiter-flexible expects.
    await queryRunner.query(`
      CREATE TABLE rate_limits (
        key varchar(255) NOT NULL,
        points integer NOT NULL DEFAULT 0,
        expire bigint,
        CONSTRAINT rate_limits_pkey PRIMARY KEY (key)
      )
    `);
    await queryRunner.query('CREATE INDEX rate_limits_expire_idx ON rate_limits (expire)');
    await queryRunner.query(`
      CREATE TABLE sign_in_networks (
        user_id integer NOT NULL,
        network inet NOT NULL,
        last_used_at timestamptz NOT NULL,
        CONSTRAINT sign_in_networks_pkey PRIMARY KEY (user_id, network),
        CONSTRAINT sign_in_networks_user_id_fkey FOREIGN KEY (user_id)
          REFERENCES users (id) ON DELETE CASCADE
      )
    `);
    await queryRunner.query(
      'CREATE INDEX sign_in_networks_last_used_at_idx ON sign_in_networks (last_used_at)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE sign_in_networks');
    await queryRunner.query('DROP TABLE rate_limits');
  }
}
