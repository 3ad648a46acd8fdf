declare module 'fs-native-extensions' {
  /** Tries to lock the whole file exclusively; `false` if another open file description has it. */
  export function tryLock(fd: number): boolean;
}
