/** WASI error numbers, which the embedded database's file system throws for errors of the real one. */
const NUMBERS: Record<number, string> = {
  2: 'this process may not write there (EACCES)',
  19: 'the quota is used up (EDQUOT)',
  22: 'the limit on file sizes is reached (EFBIG)',
  29: 'the disk cannot be read or written (EIO)',
  33: 'the limit on open files is reached (EMFILE)',
  51: 'the disk is full (ENOSPC)',
  69: 'the file system is read-only (EROFS)',
};

/** Why the embedded database could not use its files. It throws an object with a number, which is not an Error. */
export function fileProblem(thrown: unknown): string | undefined {
  const { errno } = (thrown ?? {}) as { errno?: unknown };
  if (typeof errno !== 'number' || thrown instanceof Error) return undefined;
  return NUMBERS[errno] ?? `file system error ${errno}`;
}
