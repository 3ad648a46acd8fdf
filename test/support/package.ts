import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

/** A package as it would be published. */
interface PackedPackage {
  tarball: string;
  /** Relative to the package. */
  files: string[];
}

/** Packs a folder of `packages/`, which builds it first. Works offline. @param folder for the tarball */
export function pack(name: string, folder: string): PackedPackage {
  const args = ['pack', '--json', '--offline', '--pack-destination', folder];
  const output = execFileSync('npm', args, { cwd: join('packages', name), encoding: 'utf8', stdio: 'pipe' });
  // The build may print before
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf('[\n')));
  return { tarball: join(folder, filename), files: files.map(({ path }: { path: string }) => path) };
}

/** What `@arethetypeswrong/cli` says of a package for ES modules alone; empty if nothing is wrong. */
export function typeProblems(tarball: string): string {
  const args = [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--format', 'ascii', '--no-color'];
  const { status, stdout, stderr } = spawnSync(resolve('node_modules/.bin/attw'), args, { encoding: 'utf8' });
  return status === 0 ? '' : stdout + stderr;
}

/** The first code block of a package's README. */
export function firstExample(name: string): string {
  const readme = readFileSync(join('packages', name, 'README.md'), 'utf8');
  const [, code] = /^```[jt]s\n(.*?)^```$/ms.exec(readme) ?? [];
  if (code === undefined) throw new Error(`${name} has no example in its README.md`);
  return code;
}

/** The errors of the compiler in a text, as if it were a module of the service. */
export function compileErrors(code: string): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const host = ts.createCompilerHost(options);
  const file = resolve('example.ts');
  const program = ts.createProgram([file], options, {
    ...host,
    fileExists: (path) => path === file || host.fileExists(path),
    getSourceFile: (path, language) =>
      path === file ? ts.createSourceFile(path, code, language) : host.getSourceFile(path, language),
  });
  const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
  return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
