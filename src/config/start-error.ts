/** Exit code of sysexits.h for an invalid configuration. */
const EX_CONFIG = 78;

/** The service cannot start with this configuration. The message says what is wrong and what to do. */
export class StartError extends Error {
  /** 1 if the same start may succeed later, for example when a server is available again. */
  readonly exitCode: number = 1;
}

/** The configuration is invalid. Each problem names a variable and what its value must be. */
export class ConfigurationError extends StartError {
  override readonly exitCode = EX_CONFIG;

  constructor(readonly problems: readonly string[]) {
    super(`The configuration is invalid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** `DATA_DIR` cannot be used. The message starts with the variable's name. */
export class DataDirError extends StartError {
  override readonly exitCode = EX_CONFIG;
}
