import type { DataSource } from 'typeorm';
import type { CredentialKeys } from '../../api-keys/credentials/credentials.js';
import { countBySigner, type SignedSecret, secretsOfOtherSigners } from '../../api-keys/credentials/signed-secrets.js';
import { reportLine, CommandReport } from './command-report.js';

/** Further secrets are only counted. */
const MAX_LISTED = 10_000;

interface SignerCount {
  /** The position in `CREDENTIAL_KEYS`, from 1; `null` for a removed key, whose pairs are rejected. */
  entry: number | null;
  fingerprint: string;
  secrets: number;
}

/** How many secrets each entry of `CREDENTIAL_KEYS` signed, and which prevent the removal of older entries. */
export interface SignerSummary {
  signers: SignerCount[];
  /** Secrets without a recorded signer: they were not verified since signers are recorded. */
  unknown: number;
  /** Secrets that the first entry did not sign. */
  others: SignedSecret[];
  unlisted: number;
}

export async function findSigners(dataSource: DataSource, keys: CredentialKeys): Promise<SignerSummary> {
  const now = new Date();
  const counts = await countBySigner(dataSource, now);
  const entries = keys.map(({ fingerprint }, index) => ({
    entry: index + 1,
    fingerprint,
    secrets: counts.get(fingerprint) ?? 0,
  }));
  const known = new Set(entries.map(({ fingerprint }) => fingerprint));
  const removed = [...counts].flatMap(([fingerprint, secrets]) =>
    fingerprint === null || known.has(fingerprint) ? [] : [{ entry: null, fingerprint, secrets }],
  );
  const [{ fingerprint: first }] = keys;
  const others = await secretsOfOtherSigners(dataSource, first, { now, limit: MAX_LISTED });
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0) - (counts.get(first) ?? 0);
  return {
    signers: [...entries, ...removed],
    unknown: counts.get(null) ?? 0,
    others,
    unlisted: Math.max(0, total - others.length),
  };
}

/** The output of `signed-by`. */
export function signersReport({ signers, unknown, others, unlisted }: SignerSummary): CommandReport {
  const rest = unlisted > 0 ? { unlisted } : {};
  const text = [
    reportLine('signers', ...signers.map(signerText)),
    reportLine('unknown', countSecrets(unknown)),
    reportLine('others', ...others.map(secretText)),
    ...Object.entries(rest).map(([name, count]) => reportLine(name, count)),
  ];
  return new CommandReport({ signers, unknown, others, ...rest }, text.join('\n'));
}

function signerText({ entry, fingerprint, secrets }: SignerCount): string {
  return `${entryName(entry)}, ${fingerprint}: ${countSecrets(secrets)}`;
}

function secretText({
  owner_id: owner,
  api_key: apiKey,
  secret,
  signer,
  last_used_at: lastUsed,
}: SignedSecret): string {
  const use = lastUsed ? `last used ${lastUsed.toISOString()}` : 'never used';
  return `${owner}, ${apiKey}, ${secret} secret: ${signer ?? 'unknown'}, ${use}`;
}

function entryName(entry: number | null): string {
  if (entry === null) return 'not in CREDENTIAL_KEYS';
  return entry === 1 ? 'entry 1 (signs)' : `entry ${entry}`;
}

function countSecrets(secrets: number): string {
  return `${secrets} ${secrets === 1 ? 'secret' : 'secrets'}`;
}
