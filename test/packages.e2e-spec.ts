import { readdirSync, readFileSync } from 'node:fs';
import { publint } from 'publint';
import { makeFolder, removeFolder } from './support/folders.js';
import { compileErrors, firstExample, pack, typeProblems } from './support/package.js';

const PUBLISHED = /^(LICENSE|README\.md|package\.json|dist\/[\w/.-]+(\.js|\.d\.ts))$/;

describe.each(readdirSync('packages'))('packages/%s', (name) => {
  const folder = makeFolder();
  let tarball: string;
  let files: string[];

  beforeAll(() => {
    ({ tarball, files } = pack(name, folder));
  });

  afterAll(() => removeFolder(folder));

  it('publishes its modules with their types, its licence and its README, and nothing else', () => {
    expect(files.filter((path) => !PUBLISHED.test(path) || /\b(spec|test)\b/.test(path))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js']));
    const modules = files.filter((path) => path.endsWith('.js'));
    expect(modules.filter((path) => !files.includes(path.replace(/\.js$/, '.d.ts')))).toEqual([]);
  });

  it('is what publint and Are The Types Wrong expect of a package of ES modules', async () => {
    const { buffer, byteOffset, byteLength } = readFileSync(tarball);
    const packed = buffer.slice(byteOffset, byteOffset + byteLength);
    const { messages } = await publint({ pack: { tarball: packed }, strict: true });
    expect(messages).toEqual([]);
    expect(typeProblems(tarball)).toBe('');
  });

  it('begins its README with ten lines that compile', () => {
    const code = firstExample(name);
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
    // The error shows that it was compiled
    const errors = compileErrors(`${code}\nexport const wrong: number = 'text';`);
    expect(errors).toEqual(["Type 'string' is not assignable to type 'number'."]);
  });
});
