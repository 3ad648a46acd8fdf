import type { DataSource } from 'typeorm';

/** A secret of an unrevoked key: the current one, or the previous one during the overlap. */
export interface SignedSecret {
  id: string;
  owner_id: string;
  api_key: string;
  secret: 'current' | 'previous';
  /** The fingerprint of the server key that signed it; `null` if it was not verified since that is recorded. */
  signer: string | null;
  last_used_at: Date | null;
}

/** `$1` is the current time. */
const LIVE_SECRETS = `
  api_keys AS k CROSS JOIN LATERAL (VALUES
    ('current', k.secret_signed_by, k.last_used_at),
    ('previous', k.previous_secret_signed_by, k.previous_secret_last_used_at)
  ) AS s (secret, signer, last_used_at)
  WHERE k.revoked_at IS NULL AND (s.secret = 'current' OR k.previous_secret_expires_at > $1)`;

/** The number of secrets by signer. Reads every key: some seconds for a million. */
export async function countBySigner(dataSource: DataSource, now: Date): Promise<Map<string | null, number>> {
  const rows = (await dataSource.query(
    `SELECT s.signer, count(*)::int AS count FROM ${LIVE_SECRETS} GROUP BY s.signer`,
    [now],
  )) as { signer: string | null; count: number }[];
  return new Map(rows.map(({ signer, count }) => [signer, count]));
}

/** The secrets with another signer, or an unknown one, by owner. */
export function secretsOfOtherSigners(
  dataSource: DataSource,
  signer: string,
  { now, limit }: { now: Date; limit: number },
): Promise<SignedSecret[]> {
  return dataSource.query(
    `SELECT k.id, k.owner_id, k.api_key, s.secret, s.signer, s.last_used_at FROM ${LIVE_SECRETS}
     AND s.signer IS DISTINCT FROM $2 ORDER BY k.owner_id, k.id, s.secret LIMIT $3`,
    [now, signer, limit],
  );
}

/**
 * How many of the 100 newest keys have a secret signed by none of these server keys, and the signer of the newest of
 * them. Reads the end of the primary key only.
 */
export async function newestOfUnknownSigners(
  dataSource: DataSource,
  signers: readonly string[],
): Promise<{ count: number; signer: string | null }> {
  const [found] = await dataSource.query<{ count: number; signer: string | null }[]>(
    `SELECT count(*)::int AS count, (array_agg(signer ORDER BY id DESC))[1] AS signer
     FROM (SELECT id, secret_signed_by AS signer, revoked_at FROM api_keys ORDER BY id DESC LIMIT 100) AS newest
     WHERE revoked_at IS NULL AND signer <> ALL ($1::text[])`,
    [signers],
  );
  return found ?? { count: 0, signer: null };
}
