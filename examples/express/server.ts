import type { AddressInfo } from 'node:net';
import express from 'express';
import { createGuard } from '@w3ipfs/api-keys-guard';
import { requireScopes } from '@w3ipfs/api-keys-guard/express';

const { API_KEYS_URL = 'http://127.0.0.1:8000', API_KEYS_TOKEN = '', PORT = '3000' } = process.env;

const guard = createGuard({ url: API_KEYS_URL, token: API_KEYS_TOKEN });
const pins = new Set(['QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPBdG']);

const app = express();

app.get('/pins', requireScopes(guard, 'data.pin_list'), (request, response) => {
  response.json({ owner: request.apiKey?.ownerId, pins: [...pins] });
});

app.delete('/pins/:hash', requireScopes(guard, 'pinning.unpin'), (request, response) => {
  response.json({ unpinned: pins.delete(request.params.hash) });
});

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`Pins at http://127.0.0.1:${(server.address() as AddressInfo).port}/pins`);
});

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => void guard.close()));
