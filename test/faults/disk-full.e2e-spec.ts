import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onServer } from '../support/database.js';
import { makeFolder, removeFolder } from '../support/folders.js';
import { type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { accountService, sessionOf } from '../support/sessions.js';

const TEST = '/api/apiKeys/testAuthentication';
const DISK = 'size=160m';
/** What is left when the disk is filled; some keys fit in. */
const LEFT_BYTES = 60_000;
const REFUSED = 20;
const SOME = 20;

/** A small disk of a test's own; only root may have one. */
function mounted(): string | undefined {
  const folder = makeFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', DISK, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    removeFolder(folder);
    return undefined;
  }
}

const disk = onServer ? undefined : mounted();
if (!disk && !onServer) process.stdout.write('Left out, since no small disk can be mounted: the disk full\n');

// What a server does when its disk is full is the server's
(disk ? describe : describe.skip)('when the disk of the embedded database is full', () => {
  const folder = disk as string;
  let service: ServiceProcess;
  const start = () => startProcess({ DATA_DIR: join(folder, 'data'), JWT_PUBLIC_KEY: accountService.publicKey });
  beforeAll(async () => {
    service = await start();
  });
  afterAll(async () => {
    await service.stop('SIGKILL');
    execFileSync('umount', [folder]);
    removeFolder(folder);
  });

  const keys: IssuedKey[] = [];
  /** Issues keys one after the other until so many were refused or issued; tells how many of each. */
  async function issueUntil(isEnough: (issued: number, refused: number) => boolean) {
    let [issued, refused] = [0, 0];
    const body = { ...powerlessBody, metadata: { note: 'x'.repeat(3_500) } };
    while (!isEnough(issued, refused)) {
      const { status, body: told } = await service.client.post('/api/apiKeys', sessionOf('ann'), body);
      expect([200, 503]).toContain(status);
      if (status === 503) refused++;
      else {
        issued++;
        keys.push(told.data);
      }
    }
    return { issued, refused };
  }
  const lost = async () => {
    const missing: string[] = [];
    for (const key of keys) {
      const { status } = await service.client.get(TEST, pairHeaders(key));
      if (status !== 200) missing.push(`${key.id}: ${status}`);
    }
    return missing;
  };
  const fill = () => {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - LEFT_BYTES)));
  };
  const makeRoom = () => rmSync(join(folder, 'filler'));
  const afterRefusals = (_: number, refused: number) => refused >= REFUSED;

  it('refuses with 503, goes on when there is room, and loses nothing', async () => {
    fill();
    const whileFull = await issueUntil(afterRefusals);
    expect((await service.client.get('/health/live')).status).toBe(200);
    makeRoom();
    const afterwards = await issueUntil((issued) => issued >= SOME);
    expect(await lost()).toEqual([]);
    print('room made', whileFull, afterwards);
  });

  it('loses nothing though it is killed then', async () => {
    fill();
    const whileFull = await issueUntil(afterRefusals);
    expect(await service.stop('SIGKILL')).toBe('SIGKILL');
    makeRoom();
    service = await start();
    expect(await lost()).toEqual([]);
    print('killed', whileFull, await issueUntil((issued) => issued >= SOME));
  });

  function print(what: string, full: object, afterwards: object): void {
    const counts = [full, afterwards].map((one) => JSON.stringify(one)).join(', afterwards ');
    process.stdout.write(`Disk full, ${what}: ${counts}; ${keys.length} keys acknowledged, 0 lost\n`);
  }
});
