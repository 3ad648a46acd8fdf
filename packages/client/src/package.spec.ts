import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const PACKAGE = 'packages/client';
const SOURCES = join(PACKAGE, 'src');

it('was generated from the openapi.json of the repository (if not: npm run generate -w packages/client)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'generated-client-'));
  try {
    await execute(process.execPath, [join(PACKAGE, 'generate.js'), folder]);
    expect(filesOf(join(SOURCES, 'generated'))).toEqual(filesOf(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('imports nothing but its own files, so that it runs in browsers', () => {
  const sources = Object.entries(filesOf(SOURCES)).filter(([name]) => !name.endsWith('.spec.ts'));
  expect(sources.length).toBeGreaterThan(5);
  for (const [name, text] of sources) {
    const imported = [...text.matchAll(/\b(?:from|import|require)\s*\(?\s*['"](.*?)['"]/g)].map(([, path]) => path);
    expect([name, imported.filter((path) => !path?.startsWith('.'))]).toEqual([name, []]);
  }
});

it('uses no globals but those of browsers', async () => {
  // Its configuration knows the types of the DOM, and not those of Node
  const options = ['-p', join(PACKAGE, 'tsconfig.build.json'), '--noEmit', '--emitDeclarationOnly', 'false'];
  const compiler = execute(process.execPath, ['node_modules/typescript/bin/tsc', ...options]);
  // What it prints is in the error, too
  const { stdout } = await compiler.catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});

/** The text of each file, by its path in the folder. */
function filesOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}
