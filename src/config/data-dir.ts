import { chmodSync, lstatSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataDirError } from './start-error.js';

/** The permission bits of everyone but the file's owner. */
const OTHERS_MASK = 0o077;

/**
 * Creates the data folder if needed, and restricts it and its content to this user: read access to the database's files
 * or its socket is access to every record. Logs one line if the folder was open.
 *
 * @throws DataDirError if any of it belongs to another user, who could reopen it, or its mode cannot be changed
 */
export function secureDataDir(dataDir: string): void {
  try {
    createFolder(dataDir);
    // Windows has neither users nor modes of this kind
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

/** Not `recursive`: that never returns where nothing can be created, as in /proc or behind a dangling link. */
function createFolder(path: string, isNeeded = true): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code === 'EEXIST')
      throw new DataDirError(`DATA_DIR: ${path} is not a folder or a link to one; choose another path`);
    if (code !== 'ENOENT' || !isNeeded || dirname(path) === path) throw new DataDirError(createFailure(path, code));
    createFolder(dirname(path));
    createFolder(path, false);
  }
}

function createFailure(path: string, code = 'unknown'): string {
  return `DATA_DIR: the folder ${path} cannot be created (${code}); choose one that this process can write to`;
}

/** Restricting /tmp or a home folder would break other programs. */
function assertOwnContent(dataDir: string, names: readonly string[]): void {
  if (names.some((name) => OWN_FILES.test(name)) || names.every((name) => IGNORED.test(name))) return;
  throw new DataDirError(`DATA_DIR: ${dataDir} contains files of other programs; choose a dedicated folder`);
}

/** Files that the service creates; `.new` is left if it was killed while creating one. */
const OWN_FILES = /^(secrets\.json|postgres(\.new)?|lock|welcomed|\.s\.PGSQL\.5432)$/;
/** Files in a folder that counts as new: a fresh volume, or a folder kept in Git. */
const IGNORED = /^(lost\+found|\.gitkeep|\.gitignore|\.DS_Store)$/;

const CLOSED = 'It and its content are now restricted to the user of this process.';

/** Follows a link. @throws DataDirError if the file or the link belongs to another user */
function isAccessibleToOthers(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (!stats || !link) return false;
  assertOwnedByProcess(path, stats.uid);
  // The owner of a link controls its target; root can read everything anyway
  if (link.isSymbolicLink() && link.uid !== 0) assertOwnedByProcess(path, link.uid);
  return (stats.mode & OTHERS_MASK) !== 0;
}

/**
 * Restricts a file, or a folder and its content, to this user. Follows links at the path itself and directly inside the
 * folder, but no deeper.
 *
 * @throws DataDirError if any of it belongs to another user, or its mode cannot be changed
 */
export function restrictToOwner(path: string, depth = 0): void {
  const stats: Stats | undefined = (depth < 2 ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  // A process running on the folder may have removed it meanwhile
  if (!stats || stats.isSymbolicLink()) return;
  assertOwnedByProcess(path, stats.uid);
  // The folder before its content, so that no other user adds to it meanwhile
  if ((stats.mode & OTHERS_MASK) !== 0) restrictMode(path, stats.mode);
  if (stats.isDirectory()) for (const name of readdirSync(path)) restrictToOwner(join(path, name), depth + 1);
}

function restrictMode(path: string, mode: number): void {
  const advice = `is open to other users and its mode cannot be changed; run chmod -R go-rwx on it, or choose another folder`;
  try {
    chmodSync(path, mode & 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new DataDirError(`DATA_DIR: ${path} ${advice} (${code})`);
  }
  // Some file systems ignore modes without an error
  if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MASK) !== 0)
    throw new DataDirError(`DATA_DIR: ${path} ${advice}`);
}

function assertOwnedByProcess(path: string, uid: number): void {
  if (uid === process.geteuid?.()) return;
  throw new DataDirError(
    `DATA_DIR: ${path} belongs to another user (uid ${uid}), who could read it; choose a folder that this process owns`,
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
