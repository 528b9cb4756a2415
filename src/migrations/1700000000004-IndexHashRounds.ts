import type { MigrationInterface, QueryRunner } from 'typeorm';

export class IndexHashRounds1700000000004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX users_hash_rounds_idx ON users (substring(password, 5, 2))
      WHERE password ~ '^[$]2[aby][$](0[4-9]|1[0-5])[$]'
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX users_hash_rounds_idx');
  }
}
