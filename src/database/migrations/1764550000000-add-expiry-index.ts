import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For the count of keys that expire soon, which must not read the whole table. */
export class AddExpiryIndex1764550000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "api_keys_expires_at" ON "api_keys" ("expires_at") WHERE expires_at IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "api_keys_expires_at"`);
  }
}
