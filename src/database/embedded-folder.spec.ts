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

it('has none before the first start', () => {
  expect(hasDatabase(folder)).toBe(false);
  expect(hasDatabase(join(folder, 'none'))).toBe(false);
});

it('has one that is whole', () => {
  makeCluster();
  expect(hasDatabase(folder)).toBe(true);
});

it.each(CLUSTER_PARTS)('refuses one without %s, and leaves the rest', (part) => {
  const cluster = makeCluster();
  rmSync(join(cluster, part));
  const before = readdirSync(folder, { recursive: true });
  expect(() => hasDatabase(folder)).toThrow(new DataDirError(messageFor(`${cluster} is no whole database: ${part}`)));
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
});

it('refuses a folder that had one', () => {
  writeFileSync(firstRunMarkIn(folder), '');
  expect(() => hasDatabase(folder)).toThrow(new DataDirError(messageFor(`${folder} had a database, and postgres/ is`)));
});

function messageFor(what: string): string {
  return `DATA_DIR: ${what} missing. Restore the folder as a whole, or start on a new one; nothing was changed`;
}
