import { redactor } from './redaction.js';

/**
 * Keeps the process running if its output is closed (`| head`, a restarting collector) or the disk is full: without a
 * listener, the stream's error would end it.
 */
export function ignoreOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** Whether output is JSON. Equals `production` of the environment, but is known before that is loaded. */
const inProduction = () => process.env['NODE_ENV'] === 'production';

interface OutputLine {
  level: 'info' | 'warn' | 'error';
  context: string;
  message: string;
  stack?: string;
}

/** Writes one line to standard error. */
export type OperatorOutput = (line: OutputLine) => void;

/** For the service before and after its logger exists: JSON in production, as in the log, and plain text otherwise. */
export const writeLogLine: OperatorOutput = (line) => {
  if (!inProduction()) return writePlainLine(line);
  const { level, ...rest } = line;
  process.stderr.write(
    `${withoutSecrets(JSON.stringify({ level, pid: process.pid, timestamp: Date.now(), ...rest }))}\n`,
  );
};

/** For a command, whose output is read by people in every environment. */
export const writePlainLine: OperatorOutput = ({ message, stack = message }) => {
  process.stderr.write(`${withoutSecrets(stack)}\n`);
};

const withoutSecrets = redactor([]);
