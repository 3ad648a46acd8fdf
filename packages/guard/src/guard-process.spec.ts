import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TOKEN } from '../test/fake-service.js';
import { Guards } from '../test/guards.js';
import type { GuardStats } from './index.js';

const KEYS = 1_000;
const SCRIPT = join(import.meta.dirname, '..', 'test', 'processes', 'serve-keys.ts');
const guards = Guards.forEachTest();

/** Runs a process with a guard that checks keys, and ends without closing it. */
async function serve(keys: number, snapshot = ''): Promise<GuardStats> {
  for (let i = 0; i < keys; i++) guards.service.keys.add();
  const args = ['--import', 'tsx', SCRIPT, guards.service.url, TOKEN, String(keys), snapshot];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as GuardStats;
}

it('does not keep a process alive', async () => {
  expect(await serve(1)).toMatchObject({ state: 'fresh', decided: { local: 1, remote: 1 } });
});

it('holds no secret and no api_key in memory after it has served a thousand keys', async () => {
  const snapshot = join(tmpdir(), `guard-${process.pid}.heapsnapshot`);
  try {
    expect(await serve(KEYS, snapshot)).toMatchObject({ keys: KEYS, decided: { local: KEYS } });
    const heap = readFileSync(snapshot, 'utf8');
    expect(heap).toContain('data.pin_list');
    expect(heap.match(/w3[ks]_\d+/g) ?? []).toEqual([]);
  } finally {
    rmSync(snapshot, { force: true });
  }
});
