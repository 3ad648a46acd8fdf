import { parsedRequest } from '../../../../test/support/parsed-request.js';
import { CredentialHeaders } from './credential-headers.js';

it.each<[string, string[], Partial<CredentialHeaders>]>([
  ['none', ['Host: a', 'X-Forwarded-For: 1', 'Content-Type: a/b'], {}],
  ['any case (RFC 9110, 5.1)', ['AUTHORIZATION: 1'], { authorization: '1' }],
  ['both spellings', ['pinning_api_key: 1', 'Pinning-Secret-Key: 2'], { apiKey: '1', secretKey: '2' }],
  ['the other ones', ['Pinning-Api-Key: 1', 'PINNING_SECRET_KEY: 2'], { apiKey: '1', secretKey: '2' }],
  ['an empty one', ['pinning_api_key:'], { apiKey: '' }],
  ['names of the same length', ['X-Authorizatio: 1', 'pinning.api.key: 1', 'pinning_secret-key: 2'], {}],
])('reads the headers that carry credentials: %s', async (_, lines, values) => {
  const { rawHeaders } = await parsedRequest(lines);
  expect(CredentialHeaders.received(rawHeaders)).toMatchObject({ ...NOTHING, ...values });
});

it.each<[string, string[], string]>([
  ['one of which Node drops', ['Authorization: 1', 'authorization: 2'], 'authorization'],
  ['one that Node joins', ['pinning_api_key: 1', 'Pinning_Api_Key: 2'], 'pinning_api_key'],
  ['two spellings', ['pinning_secret_key: 1', 'pinning-secret-key: 1'], 'pinning_secret_key'],
  ['an empty one', ['Authorization:', 'Authorization: 2'], 'authorization'],
])('notices repeated ones: %s', async (_, lines, repeated) => {
  expect(CredentialHeaders.received((await parsedRequest(lines)).rawHeaders)).toMatchObject({ repeated });
});

it('takes lists for repeated headers', () => {
  expect(CredentialHeaders.given({ 'Pinning-Api-Key': ['1', '2'] as never })).toMatchObject({
    repeated: 'pinning_api_key',
  });
});

const NOTHING = { authorization: undefined, apiKey: undefined, secretKey: undefined, repeated: undefined };
