import { rmSync } from 'node:fs';

export default function teardown() {
  rmSync(process.env.TEST_EMBEDDED_TEMPLATE, { recursive: true, force: true });
}
