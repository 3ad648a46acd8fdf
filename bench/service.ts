import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IssuedKey, documentedBody } from '../test/support/keys.js';
import { accountService, sessionOf } from '../test/support/sessions.js';
import { type Measured, startMeasured } from './process.js';

export const JSON_TYPE = { 'content-type': 'application/json' };
export const SERVICE_TOKEN = 'the-token-of-a-service-in-a-benchmark';

/** The built service on the embedded database, or on the server that `DATABASE_URL` names, and a key of it. */
export async function withService(
  run: (service: Measured, key: IssuedKey, database: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'w3k-bench-'));
  const url = process.env['DATABASE_URL'];
  const service = await startMeasured(['dist/main.js'], {
    DATA_DIR: folder,
    JWT_PUBLIC_KEY: accountService.publicKey,
    SERVICE_TOKENS: `bench:${SERVICE_TOKEN}`,
    ...(url && { DATABASE_URL: url }),
  });
  try {
    const headers = { ...sessionOf('bench'), ...JSON_TYPE };
    const body = JSON.stringify(documentedBody);
    const created = await fetch(`${service.url}/api/apiKeys/`, { method: 'POST', headers, body });
    const { data } = (await created.json()) as { data: IssuedKey };
    await run(service, data, url ? 'PostgreSQL' : 'embedded database');
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true });
  }
}
