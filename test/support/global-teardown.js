import { rmSync } from 'node:fs';
import { searchLogs } from './log-search.js';

export default function teardown() {
  if (process.env.TEST_DATA_TEMPLATE) rmSync(process.env.TEST_DATA_TEMPLATE, { recursive: true });
  try {
    const { lines, secrets } = searchLogs(process.env.TEST_LOGS);
    if (secrets > 0) process.stdout.write(`Searched ${lines} lines of log for ${secrets} secrets: none is there\n`);
  } finally {
    rmSync(process.env.TEST_LOGS, { recursive: true, force: true });
  }
}
