/** Exit code of sysexits.h for a configuration that cannot be used. */
const EX_CONFIG = 78;

/** What the configuration leads to cannot be used as it is; the message names it, and says why and what to do. */
export class StartError extends Error {
  /** What the process ends with: 1 where the same start may succeed later, such as when a server is there again. */
  readonly exitCode: number = 1;
}

/** The configuration cannot be used; `offences` names each variable and what it should be. */
export class ConfigurationError extends StartError {
  override readonly exitCode = EX_CONFIG;

  constructor(readonly problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((offence) => `  - ${offence}`).join('\n')}`);
  }
}

/** `DATA_DIR` cannot be used; the message begins with the variable's name. */
export class DataDirError extends StartError {
  override readonly exitCode = EX_CONFIG;
}
