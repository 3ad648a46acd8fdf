import { compare } from './compare.js';
import { JSON_TYPE, SERVICE_TOKEN, withService } from './service.js';

/** What it costs to verify a key that is known, a pair that somebody made up, and a hundred at once. */
await withService(async (service, { api_key, secret_key }, database) => {
  const headers = { authorization: `Bearer ${SERVICE_TOKEN}`, ...JSON_TYPE };
  const known = { api_key, secret_key, scope: 'pinning.unpin' };
  const madeUp = { ...known, secret_key: `w3s_${'a'.repeat(40)}` };
  const verify = { method: 'POST', path: '/api/apiKeys/verify', headers } as const;
  const batch = { requests: Array.from({ length: 100 }, () => known) };
  await compare(service, database, [
    { name: 'verify, hit', request: { ...verify, body: JSON.stringify(known) } },
    { name: 'verify, made-up pair', request: { ...verify, body: JSON.stringify(madeUp) } },
    { name: 'verify, batch of 100', request: { ...verify, path: `${verify.path}/batch`, body: JSON.stringify(batch) } },
  ]);
});
