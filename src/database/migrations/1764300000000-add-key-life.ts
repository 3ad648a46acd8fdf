import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddKeyLife1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE "api_keys"
        ADD "version" integer NOT NULL DEFAULT '1',
        ADD "enabled" boolean NOT NULL DEFAULT true,
        ADD "revoked_reason" character varying(20),
        ADD "previous_secret_hash" text,
        ADD "previous_secret_expires_at" TIMESTAMP(3) WITH TIME ZONE,
        ADD "previous_secret_last_used_at" TIMESTAMP(3) WITH TIME ZONE`);
    await runner.query(`CREATE INDEX "api_keys_issued_by" ON "api_keys" ("issued_by") WHERE issued_by IS NOT NULL`);
    await runner.query(`CREATE INDEX "api_keys_revoked" ON "api_keys" ("owner_id", "id") WHERE revoked_at IS NOT NULL`);
    await runner.query(`CREATE INDEX "api_keys_revoked_at" ON "api_keys" ("revoked_at") WHERE revoked_at IS NOT NULL`);
    await runner.query(`
      CREATE TABLE "owners" (
        "owner_id" character varying(255) NOT NULL,
        "live_keys" integer NOT NULL DEFAULT '0',
        "audit_seq" bigint NOT NULL DEFAULT '0',
        "audit_hash" bytea,
        CONSTRAINT "owners_pkey" PRIMARY KEY ("owner_id")
      )`);
    await runner.query(`
      INSERT INTO "owners" ("owner_id", "live_keys")
      SELECT "owner_id", count(*) FROM "api_keys" WHERE "revoked_at" IS NULL GROUP BY "owner_id"`);
    await runner.query(`
      CREATE TABLE "audit_events" (
        "owner_id" character varying(255) NOT NULL,
        "seq" bigint NOT NULL,
        "at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "actor" character varying(40) NOT NULL,
        "action" character varying(40) NOT NULL,
        "api_key_id" uuid,
        "refusal" character varying(40),
        "ip" character varying(45),
        "request_id" character varying(128),
        "changes" jsonb NOT NULL,
        "hash" bytea NOT NULL,
        CONSTRAINT "audit_events_pkey" PRIMARY KEY ("owner_id", "seq")
      )`);
    await runner.query(`CREATE INDEX "audit_events_api_key_id" ON "audit_events" ("owner_id", "api_key_id", "seq")`);
    await runner.query(`
      CREATE TABLE "usage_days" (
        "api_key_id" uuid NOT NULL,
        "day" date NOT NULL,
        "code" character varying(20) NOT NULL,
        "count" bigint NOT NULL,
        CONSTRAINT "usage_days_pkey" PRIMARY KEY ("api_key_id", "day", "code")
      )`);
    await runner.query(`
      CREATE TABLE "idempotent_answers" (
        "id" bytea NOT NULL,
        "fingerprint" bytea NOT NULL,
        "answer" bytea,
        "expires_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        CONSTRAINT "idempotent_answers_pkey" PRIMARY KEY ("id")
      )`);
    await runner.query(`CREATE INDEX "idempotent_answers_expires_at" ON "idempotent_answers" ("expires_at")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['idempotent_answers', 'usage_days', 'audit_events', 'owners']) {
      await runner.query(`DROP TABLE "${table}"`);
    }
    for (const index of ['api_keys_revoked_at', 'api_keys_revoked', 'api_keys_issued_by']) {
      await runner.query(`DROP INDEX "${index}"`);
    }
    await runner.query(`
      ALTER TABLE "api_keys"
        DROP "version", DROP "enabled", DROP "revoked_reason", DROP "previous_secret_hash",
        DROP "previous_secret_expires_at", DROP "previous_secret_last_used_at"`);
  }
}
