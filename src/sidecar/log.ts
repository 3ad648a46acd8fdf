import type { GuardState } from '@w3ipfs/api-keys-guard';
import { writeLogLine } from '../logging/standard-streams.js';

type Level = 'error' | 'warn' | 'info';

/** From the most severe on, as `LOG_LEVEL` names them. */
const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

/** The log of the sidecar: changes of state, and defects. */
export class SidecarLog {
  constructor(private readonly maxLevel: (typeof LEVELS)[number]) {}

  write(level: Level, message: string, stack?: string): void {
    if (LEVELS.indexOf(level) > LEVELS.indexOf(this.maxLevel)) return;
    writeLogLine({ level, context: 'Guard', message, ...(stack !== undefined && { stack }) });
  }

  readonly stateChanged = (state: GuardState, previous: GuardState): void => {
    const [level, meaning] = STATES[state];
    this.write(level, `${meaning} (${state}, was ${previous}).`);
  };

  /** @param id of the request */
  defect(id: string, cause: unknown): void {
    const { stack, message } = cause instanceof Error ? cause : new Error(String(cause));
    this.write('error', `${id} ${message}`, `${id} ${stack}`);
  }
}

const STATES: Record<GuardState, [Level, string]> = {
  cold: ['info', 'The API-key service has not answered yet'],
  fresh: ['info', 'Deciding here'],
  stale: ['info', 'What is known is too old; the API-key service decides'],
  away: ['warn', 'The API-key service does not answer'],
  refused: ['error', 'The API-key service refuses GUARD_TOKEN: is it one of its SERVICE_TOKENS?'],
  closed: ['info', 'Closed'],
};
