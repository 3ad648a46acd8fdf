import { readFileSync } from 'node:fs';

const rows = readFileSync('docs/security.md', 'utf8')
  .split('## What they can cost you at most')[1]!
  .split('\n## ')[0]!
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:may|-+) /.test(line));
const named = rows.flatMap((row) => [...row.matchAll(/\(test: `([^`]+)`: "([^"]+)"\)/g)]).map(([, ...test]) => test);

it('names a test for every bound', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => !/\(test: `[^`]+`: "[^"]+"\)/.test(row))).toEqual([]);
  expect(rows.filter((row) => row.includes('to be named'))).toEqual([]);
});

it.each(named)('names an existing test: %s, %s', (file, title) => {
  expect(readFileSync(file, 'utf8')).toContain(title);
});
