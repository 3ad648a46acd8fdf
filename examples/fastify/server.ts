import fastify from 'fastify';
import { createGuard } from '@w3ipfs/api-keys-guard';
import { apiKeysGuard } from '@w3ipfs/api-keys-guard/fastify';

const { API_KEYS_URL = 'http://127.0.0.1:8000', API_KEYS_TOKEN = '', PORT = '3000' } = process.env;

const guard = createGuard({ url: API_KEYS_URL, token: API_KEYS_TOKEN });
const pins = new Set(['QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPBdG']);

const app = fastify();
await app.register(apiKeysGuard, { guard });

app.get('/pins', { config: { scopes: ['data.pin_list'] } }, (request) => {
  return { owner: request.apiKey?.ownerId, pins: [...pins] };
});

app.delete<{ Params: { hash: string } }>('/pins/:hash', { config: { scopes: ['pinning.unpin'] } }, (request) => {
  return { unpinned: pins.delete(request.params.hash) };
});

app.get('/health', { config: { public: true } }, () => ({ guard: guard.state }));

const url = await app.listen({ host: '127.0.0.1', port: Number(PORT) });
console.log(`Pins at ${url}/pins`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.close());
