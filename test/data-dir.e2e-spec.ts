import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, fillFolder, onServer } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { run, startProcess, type ServiceProcess } from './support/process.js';
import { until } from './support/until.js';

/** The permission bits of everybody but the owner. */
const OTHERS = 0o077;
const SOMEBODY = 65_534;
const SOCKET = '.s.PGSQL.5432';

if (onServer) process.stdout.write('Skipped on a server: the data folder of the embedded database\n');
const onEmbedded = onServer ? describe.skip : describe;
const isRoot = process.geteuid?.() === 0;
if (!isRoot) process.stdout.write('Skipped, since only root can change the owner of files: folders of another user\n');
const asRoot = isRoot ? it : it.skip;

let parent: string;
beforeEach(() => {
  parent = makeFolder();
});
afterEach(() => removeFolder(parent));

/** Creates a folder with this mode, whatever the umask. */
function folderOf(mode: number): string {
  const folder = join(parent, 'data');
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
}

function openPaths(folder: string): string[] {
  return [folder, ...pathsIn(folder)].filter(
    (path) => (lstatSync(path).mode & OTHERS) !== 0 && !lstatSync(path).isSymbolicLink(),
  );
}

/** Starts the service with the umask 0. */
async function startOpenly(dataDir: string): Promise<ServiceProcess> {
  const before = process.umask(0);
  try {
    return await startProcess({ DATA_DIR: dataDir });
  } finally {
    process.umask(before);
  }
}

const mendedLines = (output: string) => output.match(/^DATA_DIR: .* was open to other users .*$/gm) ?? [];

onEmbedded('a data folder', () => {
  it.each([0o755, 0o777, 0o750])(
    'created beforehand (mode %d in decimal) is closed to others, and a message says so',
    async (mode) => {
      const folder = folderOf(mode);
      // That a new database is closed too is shown by one of them and by the test below
      if (mode !== 0o755) fillFolder(folder);
      const service = await startOpenly(folder);
      await until(async () => (await service.client.get('/health/ready')).status === 200, 'the service to be ready');
      for (const name of ['postgres', 'secrets.json', 'lock', SOCKET])
        expect(pathsIn(folder)).toContain(join(folder, name));
      expect(openPaths(folder)).toEqual([]);
      expect([statSync(folder).mode & 0o777, statSync(join(folder, SOCKET)).mode & 0o777]).toEqual([0o700, 0o600]);
      await service.stop();
      expect(mendedLines(service.output())).toEqual([expect.stringContaining(`(mode 0${mode.toString(8)})`)]);
      expect(openPaths(folder)).toEqual([]);
    },
  );

  it('that the service creates is closed, without a message', async () => {
    const folder = join(parent, 'new', 'data');
    const service = await startOpenly(folder);
    expect(openPaths(folder)).toEqual([]);
    await service.stop();
    expect(mendedLines(service.output())).toEqual([]);
  });

  it('whose files an earlier version left open is closed, every file of it', async () => {
    const folder = folderOf(0o700);
    fillFolder(folder);
    for (const path of pathsIn(folder)) chmodSync(path, statSync(path).isDirectory() ? 0o777 : 0o666);
    const { code, stdout, stderr } = await run(['dist/cli.js', 'migrate', '--json'], { DATA_DIR: folder });
    expect([code, JSON.parse(stdout)]).toEqual([0, { migrated: [] }]);
    expect(mendedLines(stderr)).toHaveLength(1);
    expect(openPaths(folder)).toEqual([]);
  });

  it.each([
    ['secrets.json', 'has a database but no secrets.json'],
    ['postgres/PG_VERSION', 'is an incomplete database: missing PG_VERSION'],
    ['postgres/postgresql.conf', 'does not start (PG_VERSION 18)'],
  ])('without its %s is refused with an explanation, and left unchanged', async (part, words) => {
    const database = await createTestDatabase();
    const path = join(database.variables.DATA_DIR, part);
    rmSync(path);
    const { code, stderr } = await run(['dist/main.js'], { ...database.variables, PORT: '0' });
    expect([code, stderr]).toEqual([78, expect.stringMatching(/^DATA_DIR: .*\. Restore .*\n$/m)]);
    expect(stderr).toContain(words);
    expect(existsSync(path)).toBe(false);
    await database.drop();
  });

  it('behind a symbolic link is closed at the link’s target', async () => {
    const folder = folderOf(0o755);
    fillFolder(folder);
    const link = join(parent, 'link');
    symlinkSync(folder, link);
    const service = await startOpenly(link);
    await service.stop();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(openPaths(folder)).toEqual([]);
  });

  const foreign: [string, (folder: string) => string][] = [
    ['itself', (folder) => (chownSync(folder, SOMEBODY, SOMEBODY), folder)],
    [
      'whose secrets',
      (folder) => {
        writeFileSync(join(folder, 'secrets.json'), '{}');
        chownSync(join(folder, 'secrets.json'), SOMEBODY, SOMEBODY);
        return join(folder, 'secrets.json');
      },
    ],
    [
      'whose database',
      (folder) => {
        mkdirSync(join(folder, 'postgres'));
        writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '18', { mode: 0o600 });
        chownSync(join(folder, 'postgres', 'PG_VERSION'), SOMEBODY, SOMEBODY);
        return join(folder, 'postgres', 'PG_VERSION');
      },
    ],
  ];
  asRoot.each(foreign)('is refused with an explanation if part of it belongs to another user: %s', async (_, give) => {
    const folder = folderOf(0o755);
    const path = give(folder);
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: folder, PORT: '0' });
    expect([code, stderr]).toEqual([78, expect.stringContaining(`DATA_DIR: ${path} belongs to another user`)]);
  });

  asRoot('behind a symbolic link of another user is refused with an explanation', async () => {
    const link = join(parent, 'link');
    symlinkSync(folderOf(0o700), link);
    lchownSync(link, SOMEBODY, SOMEBODY);
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: link, PORT: '0' });
    expect([code, stderr]).toEqual([78, expect.stringContaining(`DATA_DIR: ${link} belongs to another user`)]);
  });

  it('that is a file is refused with an explanation', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await run(['dist/main.js'], { DATA_DIR: file, PORT: '0' });
    expect([code, stderr]).toEqual([78, expect.stringContaining(`DATA_DIR: `)]);
  });
});
