import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runConcurrently, range } from '../support/at-once.js';
import { makeFolder, removeFolder } from '../support/folders.js';
import { issued, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { accountService, sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';

const SIZE = '128m';
const CALLERS = 8;
/** The numbers of keys issued before the disk is filled, refused while it is full, and issued afterwards. */
const [BEFORE, REFUSED, AFTER] = [50, 50, 20];
const CHUNK = Buffer.alloc(65_536);

const disk = mountSmall();
if (!disk) process.stdout.write('Skipped, since no tmpfs can be mounted here: a disk that is full\n');

// On a server too: this service has an embedded database of its own
(disk ? describe : describe.skip)('when the disk of the embedded database is full', () => {
  let service: ServiceProcess;
  const filler = join(disk ?? '', 'filler');
  const start = () => startProcess({ DATA_DIR: join(disk ?? '', 'data'), JWT_PUBLIC_KEY: accountService.publicKey });
  beforeAll(async () => {
    service = await start();
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
    execFileSync('umount', [disk as string]);
    removeFolder(disk as string);
  });

  it('refuses what it cannot write with 503, and loses nothing acknowledged, on a full disk', async () => {
    const keys: IssuedKey[] = [];
    const statuses: Record<string, number> = {};
    const ending = new AbortController();
    const issuing = runConcurrently(CALLERS, range(CALLERS), async () => {
      while (!ending.signal.aborted) {
        const body = { ...powerlessBody, metadata: { note: 'x'.repeat(1_000) } };
        const answer = await service.client.post('/api/apiKeys', sessionOf('ann'), body).catch(() => undefined);
        const outcome = answer?.status ?? 'unanswered';
        statuses[outcome] = (statuses[outcome] ?? 0) + 1;
        if (answer?.status === 200) keys.push(issued(answer));
      }
    });
    let issuedWhenRoomy = 0;
    try {
      await until(() => keys.length >= BEFORE, 'keys to be issued');
      fill(filler);
      await until(() => (statuses['503'] ?? 0) >= REFUSED, 'keys to be refused');
      // Reads still work
      expect(await works(keys[0] as IssuedKey)).toBe(true);
      rmSync(filler);
      issuedWhenRoomy = keys.length;
      await until(() => keys.length >= issuedWhenRoomy + AFTER, 'keys to be issued again');
    } finally {
      ending.abort();
      await issuing;
    }
    const lost = await lostOf(keys);
    expect(await service.stop()).toBe(0);
    service = await start();
    const lostAfterRestart = await lostOf(keys);
    process.stdout.write(
      `Disk full: issuing ${JSON.stringify(statuses)}, lost ${lost.length}, after a restart ${lostAfterRestart.length}\n`,
    );
    expect([lost, lostAfterRestart]).toEqual([[], []]);
    expect(Object.keys(statuses).toSorted()).toEqual(['200', '503']);
  });

  const works = async (key: IssuedKey) =>
    (await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status === 200;

  async function lostOf(keys: IssuedKey[]): Promise<IssuedKey[]> {
    const lost: IssuedKey[] = [];
    await runConcurrently(CALLERS, keys, async (key) => {
      if (!(await works(key))) lost.push(key);
    });
    return lost;
  }
});

/** @returns the folder; `undefined` if mounting is not permitted */
function mountSmall(): string | undefined {
  const folder = makeFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'ignore' });
  if (status === 0) return folder;
  removeFolder(folder);
  return undefined;
}

/** Fills the disk to the last page. */
function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, CHUNK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}
