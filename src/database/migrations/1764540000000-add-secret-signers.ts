import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddSecretSigners1764540000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "api_keys"
        ADD "secret_signed_by" character varying(8),
        ADD "previous_secret_signed_by" character varying(8)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_keys" DROP "secret_signed_by", DROP "previous_secret_signed_by"`);
  }
}
