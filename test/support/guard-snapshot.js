import { writeHeapSnapshot } from 'node:v8';
import { createGuard } from '@w3ipfs/api-keys-guard';

/** Checks the pairs on standard input until its guard decides on each by itself, and writes a heap snapshot. */
const { GUARD_URL: url, GUARD_TOKEN: token, SNAPSHOT: file } = process.env;
const guard = createGuard({ url, token });

const known = await learnAll();
writeHeapSnapshot(file);
process.stdout.write(`${known} local\n`);
await guard.close();

async function learnAll() {
  await guard.ready();
  const pairs = JSON.parse(await text(process.stdin));
  let local = 0;
  for (const { api_key: apiKey, secret_key: secretKey } of pairs) {
    const request = { headers: { pinning_api_key: apiKey, pinning_secret_key: secretKey } };
    let source;
    while (source !== 'local') ({ source } = await guard.check(request));
    local++;
  }
  return local;
}

async function text(stream) {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
}
