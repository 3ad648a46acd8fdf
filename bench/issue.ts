import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountService, sessionOf } from '../test/support/sessions.js';
import { documentedBody } from '../test/support/keys.js';
import { load, medians, type Round, type Work } from './load.js';
import { startMeasured } from './process.js';

/**
 * What it costs to issue a key and to ask what a key is, beside a bare Fastify server that is sent
 * the same requests and sends as many bytes back, in turns, in the same run.
 *
 * On the embedded database, or on the server that `DATABASE_URL` names.
 */
const ROUNDS = 3;
const folder = mkdtempSync(join(tmpdir(), 'w3k-bench-'));
const databaseUrl = process.env['DATABASE_URL'];
const service = await startMeasured(['dist/main.js'], {
  DATA_DIR: folder,
  JWT_PUBLIC_KEY: accountService.publicKey,
  ...(databaseUrl && { DATABASE_URL: databaseUrl }),
});

const json = { 'content-type': 'application/json' };
const body = JSON.stringify(documentedBody);
const created = await fetch(`${service.url}/api/apiKeys/`, {
  method: 'POST',
  headers: { ...sessionOf('bench'), ...json },
  body,
});
const createdText = await created.text();
const { api_key, secret_key } = JSON.parse(createdText).data as Record<string, string>;
const pair = { pinning_api_key: String(api_key), pinning_secret_key: String(secret_key) };
const testPath = '/api/apiKeys/testAuthentication/';
const tested = await fetch(service.url + testPath, { headers: pair });
const testedText = await tested.text();

const floor = await startMeasured(
  ['--import', 'tsx', 'bench/floor.ts', String(createdText.length), String(testedText.length)],
  {},
);

const works: Work[] = [
  {
    name: 'issue a key (session)',
    request: { method: 'POST', path: '/api/apiKeys/', headers: { ...sessionOf('bench'), ...json }, body },
  },
  {
    name: 'issue a key (admin key)',
    request: { method: 'POST', path: '/api/apiKeys/', headers: { ...pair, ...json }, body },
  },
  { name: 'testAuthentication (key)', request: { method: 'GET', path: testPath, headers: pair } },
  { name: 'testAuthentication (session)', request: { method: 'GET', path: testPath, headers: sessionOf('bench') } },
];

console.log(`Node ${process.version}, ${cpus().length} cores, ${databaseUrl ? 'PostgreSQL' : 'embedded database'};`);
console.log(`autocannon, 32 connections, medians of ${ROUNDS} alternating rounds of 4 s\n`);
console.log('| work | requests/s | share of the floor | CPU per request | p50 | p99 |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const work of works) {
  const rounds: Record<'service' | 'floor', Round[]> = { service: [], floor: [] };
  for (let round = 0; round < ROUNDS; round++) {
    rounds.floor.push(await load(floor, work));
    rounds.service.push(await load(service, work));
  }
  const [ours, bare] = [medians(rounds.service), medians(rounds.floor)];
  console.log(row(work.name, ours, bare));
  console.log(row(`*bare Fastify, same bytes*`, bare, bare));
}
await Promise.all([service.stop(), floor.stop()]);
rmSync(folder, { recursive: true });

function row(name: string, { perSecond, cpuMicros, p50, p99 }: Round, bare: Round): string {
  const share = (perSecond / bare.perSecond).toFixed(3);
  return `| ${name} | ${perSecond.toFixed(0)} | ${share} | ${cpuMicros.toFixed(0)} us | ${p50} ms | ${p99} ms |`;
}
