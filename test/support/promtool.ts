import { spawnSync } from 'node:child_process';
import { executableOf } from './gateway-process.js';

/** The path of Prometheus' own tool, which checks files for it; without it these tests are skipped. */
export const PROMTOOL_VARIABLE = 'TEST_PROMTOOL';

/** The problems it finds; empty if none. */
export function promtool(args: string[], input = ''): string {
  const executable = executableOf(PROMTOOL_VARIABLE, 'prometheus');
  const { status, stdout, stderr } = spawnSync(executable, args, { input, encoding: 'utf8' });
  return status === 0 && stderr === '' ? '' : `${status}: ${stdout}${stderr}`;
}
