import { createHash } from 'node:crypto';
import type { Client } from './client.js';
import type { IssuedKey } from './keys.js';
import { serviceHeaders, verify } from './verification.js';

/** The answer to a guard. */
export interface Changes {
  epoch: string;
  position: string;
  age_ms: number;
  held_ms: number;
  bound_ms: number;
  changed: { h: string; at: string | null }[];
}

let guards = 0;

/** The headers of a guard of its own. */
export function guardHeaders() {
  const id = String(++guards).padStart(22, 'g');
  return { ...serviceHeaders, 'user-agent': `w3ipfs-api-keys-guard/0.1.0 (${id})` };
}

/** What the feed calls a key, or an announcement. */
export function handleOf(identifier: string): string {
  return createHash('sha256').update(identifier).digest().subarray(0, 12).toString('base64url');
}

/** Asks for changes, as a guard that asks for the first time unless headers are given. */
export async function changesSince(
  client: Client,
  since: string | undefined,
  waitMs = 0,
  headers = guardHeaders(),
): Promise<Changes> {
  const query = new URLSearchParams({ ...(since !== undefined && { since }), wait_ms: String(waitMs) });
  const answer = await client.get(`/api/apiKeys/changes?${query.toString()}`, headers);
  if (answer.status !== 200) throw new Error(`no changes: ${answer.status} ${answer.text}`);
  return answer.body.data as Changes;
}

/** Verifies a key and returns the verdict with its grant. */
export async function grantOf(client: Client, key: IssuedKey, need: object = {}) {
  const { body } = await verify(client, key, { ...need, grant: true });
  return body.data as { code: string; grant?: Record<string, unknown> };
}
