import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Builds, unless the last build is newer than every source: a second start need not wait for it. */
const MARK = join('dist', '.built');
const NEST = join('node_modules', '.bin', 'nest');

refuseOldNode();
if (changedAt('src') > builtAt()) {
  if (!existsSync(NEST)) stop('The packages that build it are not installed. Run: npm ci');
  const { status } = spawnSync('nest', ['build'], { stdio: ['ignore', 'ignore', 'inherit'], shell: true });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync('dist', { recursive: true });
  writeFileSync(MARK, '');
}

/** When the newest file or folder below the folder was written; a folder's time changes when files are removed from it. */
function changedAt(folder) {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
}

function builtAt() {
  return statSync(MARK, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** npm only warns of it, and what fails then does not say why. */
function refuseOldNode() {
  const { node: needed } = JSON.parse(readFileSync('package.json', 'utf8')).engines;
  const [least, given] = [needed, process.versions.node].map((version) => version.match(/\d+/g).map(Number));
  if (given[0] > least[0] || (given[0] === least[0] && given[1] >= least[1])) return;
  stop(`This needs Node ${needed}, and this is ${process.versions.node}.`);
}

function stop(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
