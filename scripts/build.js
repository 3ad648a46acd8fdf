import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Builds, unless the last build is newer than every source: a second start need not wait for it. */
const MARK = join('dist', '.built');

if (changedAt('src') > builtAt()) {
  const { status } = spawnSync('nest', ['build'], { stdio: ['ignore', 'ignore', 'inherit'], shell: true });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync('dist', { recursive: true });
  writeFileSync(MARK, '');
}

/** When the newest file below the folder was written; a folder's own time tells of files that are gone. */
function changedAt(folder) {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

function builtAt() {
  return statSync(MARK, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
