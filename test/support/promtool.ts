import { spawnSync } from 'node:child_process';
import { executableOf } from './gateway-process.js';

/** Names Prometheus' own tool, which checks what is made for it; without it these tests are left out. */
export const PROMTOOL_VARIABLE = 'TEST_PROMTOOL';

/** What it finds wrong; nothing if all is well. */
export function promtool(args: string[], input = ''): string {
  const executable = executableOf(PROMTOOL_VARIABLE, 'prometheus');
  const { status, stdout, stderr } = spawnSync(executable, args, { input, encoding: 'utf8' });
  return status === 0 && stderr === '' ? '' : `${status}: ${stdout}${stderr}`;
}
