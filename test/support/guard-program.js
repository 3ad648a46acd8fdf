import { createGuard } from '@w3ipfs/api-keys-guard';

/**
 * A service's process with a guard, led by a test: it watches keys, which it checks again and again as requests would, and
 * tells when each was accepted last and when it was first not accepted.
 */
const PAUSE_MS = 2;

const { GUARD_URL: url, GUARD_TOKEN: token } = process.env;
const guard = createGuard({ url, token });
const watched = new Map();

process.on('message', ({ watch, learn, stop }) => {
  if (watch) watched.set(watch.apiKey, { pair: watch, lastValidAt: 0, sources: {} });
  if (learn) learnPair(learn).catch(fail);
  if (stop) guard.close().then(() => process.exit(0), fail);
});

await guard.ready();
process.send({ ready: true });
for (;;) {
  for (const key of watched.values()) observe(key);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}

/** Until the guard decides on it by itself. */
async function learnPair(pair) {
  let source;
  while (source !== 'local') ({ source } = await check(pair));
  process.send({ learned: pair.apiKey });
}

async function check(pair) {
  try {
    return await guard.check(pair);
  } catch (error) {
    return { valid: false, code: error.name };
  }
}

function observe(key) {
  const askedAt = Date.now();
  let verdict;
  try {
    verdict = guard.check(key.pair);
  } catch (error) {
    verdict = { valid: false, code: error.name };
  }
  if (verdict instanceof Promise) {
    verdict.then(
      (settled) => note(key, settled, askedAt),
      (error) => note(key, { valid: false, code: error.name }, askedAt),
    );
  } else note(key, verdict, askedAt);
}

function note(key, { valid, code, source }, askedAt) {
  if (valid) {
    key.lastValidAt = Math.max(key.lastValidAt, askedAt);
    key.sources[source] = (key.sources[source] ?? 0) + 1;
    return;
  }
  const { apiKey } = key.pair;
  // Denied for good, and not only unavailable
  if (code !== 'REVOKED' || !watched.delete(apiKey)) return;
  process.send({ denied: { apiKey, lastValidAt: key.lastValidAt, deniedAt: Date.now(), stats: guard.stats() } });
}
