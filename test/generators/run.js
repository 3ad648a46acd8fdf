/**
 * Makes a client from `openapi.json` with each generator, compiles it (`tsc --strict`) with a program that makes every call,
 * and runs the program against a service of its own. Also checks the document with two linters. Needs a built service.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { callsOf } from './calls.js';
import { heyApi } from './clients/hey-api.js';
import { kubb } from './clients/kubb.js';
import { oazapfts } from './clients/oazapfts.js';
import { openapiFetch } from './clients/openapi-fetch.js';
import { orval } from './clients/orval.js';
import { swaggerTypescriptApi } from './clients/swagger-typescript-api.js';
import { inTurns, run } from './commands.js';
import { OutcomeChecker } from './outcomes.js';
import { programOf } from './program.js';
import { sessionToken, startService } from './service.js';

const DOCUMENT = fileURLToPath(new URL('../../openapi.json', import.meta.url));
const CLIENTS = [heyApi, openapiFetch, swaggerTypescriptApi, oazapfts, orval, kubb];
const LINTERS = [
  ['redocly', 'lint', DOCUMENT, '--config', 'linters/redocly.yaml'],
  ['spectral', 'lint', DOCUMENT, '--ruleset', 'linters/spectral.yaml', '--fail-severity', 'hint'],
];
/** CI has two cores. */
const AT_ONCE = 2;

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
const document = JSON.parse(readFileSync(DOCUMENT, 'utf8'));
const calls = callsOf(document);
const checker = new OutcomeChecker(document);

rmSync('generated', { recursive: true, force: true });
const service = await startService('../..');
try {
  await inTurns(AT_ONCE, [
    ...LINTERS.map((linter) => () => lint(linter)),
    ...CLIENTS.map((client) => () => generate(client)),
  ]);
  await run('tsc', ['--project', '.']);
  await inTurns(
    AT_ONCE,
    CLIENTS.map((client) => () => callEverything(client)),
  );
} catch (failure) {
  console.error(failure.message);
  process.exitCode = 1;
} finally {
  await service.stop();
}

/** Exceptions are listed in the linter's configuration, with the reason. */
async function lint([linter, ...args]) {
  await run(linter, args);
  console.log(`${linter}: nothing to say`);
}

async function generate(client) {
  const folder = `generated/${client.name}`;
  mkdirSync(folder, { recursive: true });
  const [command, ...args] = client.generate({ document: DOCUMENT, folder, url: service.url, calls });
  await run(command, args);
  writeFileSync(`${folder}/program.ts`, programOf(client, calls));
}

async function callEverything({ name }) {
  const folder = `generated/${name}`;
  await run('esbuild', [
    `${folder}/program.ts`,
    '--bundle',
    '--format=esm',
    '--platform=node',
    `--outfile=${folder}/program.mjs`,
  ]);
  const variables = { BASE_URL: service.url, SESSION: sessionToken(), SERVICE: service.serviceToken };
  const output = await run(process.execPath, [`${folder}/program.mjs`], variables);
  const outcomes = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const offences = checker.problemsOf(calls, outcomes);
  if (offences.length > 0) throw new Error(`${name}:\n${offences.join('\n')}`);
  console.log(`${name}: ${outcomes.length} calls, as documented`);
}
