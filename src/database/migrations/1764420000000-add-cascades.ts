import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddCascades1764420000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_keys" ADD "secret_generation" integer NOT NULL DEFAULT '1'`);
    // With the id, so that one key's children are read page by page, however many they are
    await runner.query(`DROP INDEX "api_keys_issued_by"`);
    await runner.query(
      `CREATE INDEX "api_keys_issued_by" ON "api_keys" ("issued_by", "id") WHERE issued_by IS NOT NULL`,
    );
    await runner.query(`
      CREATE TABLE "cascades" (
        "root_id" uuid NOT NULL,
        "owner_id" character varying(255) NOT NULL,
        "actor" character varying(40) NOT NULL,
        "ip" character varying(45),
        "request_id" character varying(128),
        "started_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "worked_at" TIMESTAMP(3) WITH TIME ZONE NOT NULL,
        "revoked" integer NOT NULL DEFAULT '1',
        CONSTRAINT "cascades_pkey" PRIMARY KEY ("root_id")
      )`);
    await runner.query(`CREATE INDEX "cascades_owner_id" ON "cascades" ("owner_id")`);
  }

  /** Without the table, keys that descend from the root of a cascade would be valid again until their rows are written. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM "cascades") THEN
          RAISE EXCEPTION 'Cascades are under way: wait until the table cascades is empty.';
        END IF;
      END $$`);
    await runner.query(`DROP TABLE "cascades"`);
    await runner.query(`DROP INDEX "api_keys_issued_by"`);
    await runner.query(`CREATE INDEX "api_keys_issued_by" ON "api_keys" ("issued_by") WHERE issued_by IS NOT NULL`);
    await runner.query(`ALTER TABLE "api_keys" DROP "secret_generation"`);
  }
}
