import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirError } from '../config/start-error.js';
import { clusterIn, hasDatabase, CLUSTER_PARTS, firstRunMarkIn } from './embedded-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'w3k-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function makeCluster(): string {
  const cluster = clusterIn(folder);
  mkdirSync(join(cluster, 'global'), { recursive: true });
  for (const part of CLUSTER_PARTS) writeFileSync(join(cluster, part), '');
  return cluster;
}

it('is absent before the first start', () => {
  expect(hasDatabase(folder)).toBe(false);
  expect(hasDatabase(join(folder, 'none'))).toBe(false);
});

it('is present if it is complete', () => {
  makeCluster();
  expect(hasDatabase(folder)).toBe(true);
});

it.each(CLUSTER_PARTS)('rejects a database without %s, and leaves the folder unchanged', (part) => {
  const cluster = makeCluster();
  rmSync(join(cluster, part));
  const before = readdirSync(folder, { recursive: true });
  expect(() => hasDatabase(folder)).toThrow(
    new DataDirError(messageFor(`${cluster} is an incomplete database: missing ${part}`)),
  );
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});

it('rejects a folder that had a database', () => {
  writeFileSync(firstRunMarkIn(folder), '');
  expect(() => hasDatabase(folder)).toThrow(
    new DataDirError(messageFor(`${folder} had a database, but postgres/ is missing`)),
  );
});

function messageFor(what: string): string {
  return `DATA_DIR: ${what}. Restore the whole folder, or choose a new one; nothing was changed`;
}
