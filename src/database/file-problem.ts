/** The numbers of WASI, by which the embedded database's file system names what the real one has refused. */
const NUMBERS: Record<number, string> = {
  2: 'this process may not write there (EACCES)',
  19: 'the quota is used up (EDQUOT)',
  22: 'files may not be as large as they need to be (EFBIG)',
  29: 'the disk cannot be read or written (EIO)',
  33: 'the process may not open more files (EMFILE)',
  51: 'no room is left on the disk (ENOSPC)',
  69: 'the file system may only be read (EROFS)',
};

/** Why the embedded database could not use its files. What is thrown for that is no Error, and says no more than a number. */
export function fileProblem(thrown: unknown): string | undefined {
  const { errno } = (thrown ?? {}) as { errno?: unknown };
  if (typeof errno !== 'number' || thrown instanceof Error) return undefined;
  return NUMBERS[errno] ?? `its file system says ${errno}`;
}
