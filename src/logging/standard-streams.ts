import { redactor } from './redaction.js';

/**
 * Lets the process go on when nobody reads its output any more (`| head`, a collector that restarts) or it cannot be
 * written (a full disk): without a listener, the error of one line would end it.
 */
export function ignoreOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** Whether whoever reads the output expects JSON; the same as `production` of the environment, and known without it. */
const inProduction = () => process.env['NODE_ENV'] === 'production';

interface OutputLine {
  level: 'info' | 'warn' | 'error';
  context: string;
  message: string;
  stack?: string;
}

/** One line on standard error: JSON in production, as in the log, and words elsewhere. */
export type OperatorOutput = (line: OutputLine) => void;

/** For a process whose log is there: what is said before it, and after. */
export const writeLogLine: OperatorOutput = (line) => {
  if (!inProduction()) return writePlainLine(line);
  const { level, ...rest } = line;
  process.stderr.write(
    `${withoutSecrets(JSON.stringify({ level, pid: process.pid, timestamp: Date.now(), ...rest }))}\n`,
  );
};

/** For a command, which people read whatever the environment. */
export const writePlainLine: OperatorOutput = ({ message, stack = message }) => {
  process.stderr.write(`${withoutSecrets(stack)}\n`);
};

const withoutSecrets = redactor([]);
