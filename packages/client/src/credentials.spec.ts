import { useServer } from '../test/server.js';
import { createClient } from './client.js';
import type { CredentialsSource } from './credentials.js';

const server = useServer();
const call = (credentials: CredentialsSource) => createClient({ url: server.url, credentials }).listApiKeys();
const sent = () => server.requests.map(({ headers }) => headers.authorization);

it.each<[string, CredentialsSource, string]>([
  ['a token', 'header.payload.signature', 'Bearer header.payload.signature'],
  ['a pair', { apiKey: 'w3k_a', secretKey: 'w3s_b' }, 'Bearer w3k_a.w3s_b'],
  ['a token from a file that ends with a newline', 'token\n', 'Bearer token'],
  ['what a function returns', () => 'token', 'Bearer token'],
])('sends %s', async (_, credentials, authorization) => {
  await call(credentials);
  expect(sent()).toEqual([authorization]);
});

it('asks a function for each request', async () => {
  const tokens = ['first', 'second'];
  const client = createClient({ url: server.url, credentials: async () => tokens.shift() ?? '' });
  await client.listApiKeys();
  await client.listApiKeys();
  expect(sent()).toEqual(['Bearer first', 'Bearer second']);
});

it('sends nothing if the function fails', async () => {
  const failing = () => Promise.reject(new Error('signed out'));
  await expect(call(failing)).rejects.toThrow('signed out');
  expect(server.requests).toEqual([]);
});

it.each(['a line\nbreak', 'schlüssel'])(
  'refuses credentials that no header can carry, without showing them: %j',
  async (credentials) => {
    const error = await call(credentials).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain(credentials.slice(0, 4));
    expect(server.requests).toEqual([]);
  },
);

it('refuses empty credentials', async () => {
  await expect(call('')).rejects.toThrow('The credentials are empty');
  expect(server.requests).toEqual([]);
});
