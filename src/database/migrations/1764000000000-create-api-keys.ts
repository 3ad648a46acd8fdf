import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateApiKeys1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE "api_keys" (
        "id" uuid NOT NULL,
        "owner_id" character varying(255) NOT NULL,
        "name" character varying(100) NOT NULL,
        "api_key" character varying(24) NOT NULL,
        "secret_hash" text NOT NULL,
        "scopes" jsonb NOT NULL,
        "metadata" jsonb NOT NULL,
        "issued_by" uuid,
        "created_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "updated_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "revoked_at" TIMESTAMP(3) WITH TIME ZONE,
        CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
      )`);
    await runner.query(`CREATE UNIQUE INDEX "api_keys_api_key" ON "api_keys" ("api_key")`);
    await runner.query(`CREATE INDEX "api_keys_listed" ON "api_keys" ("owner_id", "id") WHERE revoked_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "api_keys"`);
  }
}
