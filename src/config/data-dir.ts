import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataDirError } from './start-error.js';

/** What anybody but the owner may do with a file. */
const OTHERS_MASK = 0o077;

/**
 * Makes the data folder where there is none, and closes it, with all that is in it, to every other user: whoever reads
 * the database's files or connects to its socket has everything. Says so in one line where it had been open.
 *
 * @throws DataDirError if anything in it belongs to somebody else, who could open it again, or cannot be closed
 */
export function secureDataDir(dataDir: string): void {
  try {
    createFolder(dataDir);
    // Windows has neither
    if (!process.geteuid) return;
    const { mode } = statSync(dataDir);
    const names = readdirSync(dataDir);
    const open = [dataDir, ...names.map((name) => join(dataDir, name))].filter(isAccessibleToOthers);
    const isOpen = open.length > 0;
    if (open.some((path) => statSync(path).isDirectory())) assertOwnContent(dataDir, names);
    if (isOpen) restrictToOwner(dataDir);
    if (isOpen) process.stderr.write(`DATA_DIR: ${dataDir} was open to other users (mode ${octal(mode)}). ${CLOSED}\n`);
  } catch (error) {
    if (error instanceof DataDirError) throw error;
    throw new DataDirError(`DATA_DIR: ${(error as Error).message}`);
  }
}

/** Not `recursive`: where nothing can be made, as in /proc, or behind a link that leads nowhere, that goes on for ever. */
function createFolder(path: string, isNeeded = true): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code === 'EEXIST')
      throw new DataDirError(`DATA_DIR: ${path} is no folder, nor a link that leads to one; choose another`);
    if (code !== 'ENOENT' || !isNeeded || dirname(path) === path) throw new DataDirError(createFailure(path, code));
    createFolder(dirname(path));
    createFolder(path, false);
  }
}

function createFailure(path: string, code = 'unknown'): string {
  return `DATA_DIR: the folder ${path} cannot be made (${code}); choose one that this process may write in`;
}

/** Closing /tmp, or a home, with all that is in it, would do harm far beyond this service. */
function assertOwnContent(dataDir: string, names: readonly string[]): void {
  if (names.some((name) => OWN_FILES.test(name)) || names.every((name) => IGNORED.test(name))) return;
  throw new DataDirError(`DATA_DIR: ${dataDir} holds what is not this service's; choose a folder of its own`);
}

/** What the service makes there; `.new` where it was killed while it did. */
const OWN_FILES = /^(secrets\.json|postgres(\.new)?|lock|welcomed|\.s\.PGSQL\.5432)$/;
/** What is in folders that count as new: in a volume, or one that is kept in Git. */
const IGNORED = /^(lost\+found|\.gitkeep|\.gitignore|\.DS_Store)$/;

const CLOSED = 'It and what is in it are for the user of this process alone now.';

/** Of a link, what it leads to. @throws DataDirError if it belongs to somebody else, or the link does */
function isAccessibleToOthers(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || !link) return false;
  assertOwnedByProcess(path, stats.uid);
  // Whoever owns a link decides where it leads; of root's nothing can be kept anyway
  if (link.isSymbolicLink() && link.uid !== 0) assertOwnedByProcess(path, link.uid);
  return (stats.mode & OTHERS_MASK) !== 0;
}

/**
 * Closes a file, or a folder and all that is in it, to every other user. Links are followed there and in the folder
 * itself, and not further down.
 *
 * @throws DataDirError if any of it belongs to somebody else, or cannot be closed
 */
export function restrictToOwner(path: string, depth = 0): void {
  const stats: Stats | undefined = (depth < 2 ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  // A process that is running there may have removed it meanwhile
  if (!stats || stats.isSymbolicLink()) return;
  assertOwnedByProcess(path, stats.uid);
  // A folder before what is in it, so that nobody puts anything there meanwhile
  if ((stats.mode & OTHERS_MASK) !== 0) restrictMode(path, stats.mode);
  if (stats.isDirectory()) for (const name of readdirSync(path)) restrictToOwner(join(path, name), depth + 1);
}

function restrictMode(path: string, mode: number): void {
  const advice = `is open to other users, and its mode cannot be changed; chmod -R go-rwx it, or choose another folder`;
  try {
    chmodSync(path, mode & 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new DataDirError(`DATA_DIR: ${path} ${advice} (${code})`);
  }
  // Some file systems know no modes, and do not say so
  if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MASK) !== 0)
    throw new DataDirError(`DATA_DIR: ${path} ${advice}`);
}

function assertOwnedByProcess(path: string, uid: number): void {
  if (uid === process.geteuid?.()) return;
  throw new DataDirError(
    `DATA_DIR: ${path} belongs to another user (uid ${uid}), who could read it; choose a folder of this process's own`,
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
