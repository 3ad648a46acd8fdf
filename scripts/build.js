import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Builds the packages and the service, each unless its last build is newer than every source: a second start need not
 * wait for it.
 */
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const PROGRAMS = resolve('node_modules', '.bin');
/** JavaScript alone: the declarations for users are made when a package is packed. */
const COMPILE = 'swc src --out-dir dist --strip-leading-paths --ignore **/*.spec.ts --config-file ../../.swcrc --quiet';

refuseOldNode();
for (const name of readdirSync('packages')) build(join('packages', name), COMPILE);
build('.', 'nest build');

/** Runs the command that writes a folder's `src` to its `dist`. */
function build(folder, command) {
  const mark = join(folder, 'dist', '.built');
  if (changedAt(join(folder, 'src')) <= (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0)) return;
  if (!existsSync(PROGRAMS)) stop('The packages that build it are not installed. Run: npm ci');
  const [program, ...args] = command.split(' ');
  const stdio = ['ignore', 'ignore', 'inherit'];
  const { status } = spawnSync(join(PROGRAMS, program), args, { cwd: folder, stdio });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(mark, '');
}

/** When the newest file or folder below the folder was written; a folder's time changes when files are removed from it. */
function changedAt(folder) {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return Math.max(...paths.map((path) => statSync(path).mtimeMs));
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
