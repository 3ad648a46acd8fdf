import { execFile } from 'node:child_process';
import { delimiter, resolve } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Turns off the telemetry and update checks of these tools. */
const SILENT = {
  DO_NOT_TRACK: '1',
  KUBB_DISABLE_TELEMETRY: '1',
  REDOCLY_TELEMETRY: 'off',
  REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  NO_COLOR: '1',
  CI: 'true',
};

/** Runs a command of this package. @returns what it printed @throws Error with what it printed, if it fails */
export async function run(command, args, variables = {}) {
  const PATH = [resolve('node_modules/.bin'), process.env.PATH].join(delimiter);
  const options = { env: { HOME: process.env.HOME, PATH, ...SILENT, ...variables }, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout } = await execute(command, args, options);
    return stdout;
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
}

/** Runs the tasks, at most this many at a time. All are run, even if one fails. @throws AggregateError */
export async function inTurns(atOnce, tasks) {
  const failures = [];
  const waiting = [...tasks];
  const work = async () => {
    for (let task = waiting.shift(); task; task = waiting.shift())
      await task().catch((failure) => failures.push(failure));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n\n'));
}
