import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddKeyLimits1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "api_keys"
        ADD "not_before" TIMESTAMP(3) WITH TIME ZONE,
        ADD "expires_at" TIMESTAMP(3) WITH TIME ZONE,
        ADD "max_uses" bigint,
        ADD "rate_limit_requests" integer,
        ADD "rate_limit_window_seconds" integer,
        ADD "allowed_cidrs" text array,
        ADD "uses" bigint NOT NULL DEFAULT '0',
        ADD "last_used_at" TIMESTAMP(3) WITH TIME ZONE`);
    // Room on each page for the next version of a row: counting then changes no index (HOT updates)
    await runner.query(`ALTER TABLE "api_keys" SET (fillfactor = 70)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_keys" RESET (fillfactor)`);
    await runner.query(`
      ALTER TABLE "api_keys"
        DROP "not_before", DROP "expires_at", DROP "max_uses", DROP "rate_limit_requests",
        DROP "rate_limit_window_seconds", DROP "allowed_cidrs", DROP "uses", DROP "last_used_at"`);
  }
}
