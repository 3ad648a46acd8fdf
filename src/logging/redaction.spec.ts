import { redactor } from './redaction.js';

const redact = redactor(['the-token-of-the-gateway-0123456789ab']);

const BASIC = Buffer.from(`w3k_vfw8YWzfwa8agZq6anW6:w3s_${'zYRd2mcmuG'.repeat(4)}`).toString('base64');

it.each([
  ['a secret key', 'for w3s_zYRd2mcmuG8QbVB3IbAiHaylGytGmiHSpSlhB2ON.', 'for w3s_[redacted].'],
  ['part of a secret key', 'w3s_zYRd2mcmuG8Q', 'w3s_[redacted]'],
  ['a session', 'token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln-nature_ ends', 'token [redacted] ends'],
  ['a bearer token', 'authorization: bearer abc.def/ghi=', 'authorization: bearer [redacted]'],
  ['a pair', 'Authorization: Basic dzNrX2E6dzNzX2I=', 'Authorization: Basic [redacted]'],
  ['a credential', 'Bearer w3k_vfw8YWzfwa8agZq6anW6.w3s_zYRd2mcmuG8QbVB3IbAi ends', 'Bearer [redacted] ends'],
  [
    'a credential alone',
    'w3k_vfw8YWzfwa8agZq6anW6.w3s_zYRd2mcmuG8QbVB3IbAi',
    'w3k_vfw8YWzfwa8agZq6anW6.w3s_[redacted]',
  ],
  ['a pair in base64', `["Basic","${BASIC}"] ends`, '["Basic","[redacted]"] ends'],
  ['a query parameter', 'GET /x?a=1&access_token=abc-def&b=2', 'GET /x?a=1&access_token=[redacted]&b=2'],
  ['a hash', 'is "$argon2id$v=19$m=1024,t=1,p=1$c2FsdA$aGFzaA"', 'is "[redacted]"'],
  ['a password', 'connect postgres://ann:hunter2@db:5432/keys', 'connect postgres://ann:[redacted]@db:5432/keys'],
  ['a password alone', 'rediss://:hunter2@cache', 'rediss://:[redacted]@cache'],
  ['a server key', `CREDENTIAL_KEYS=${Buffer.alloc(32, 7).toString('base64')}`, 'CREDENTIAL_KEYS=[redacted]'],
  ['a service token', 'no the-token-of-the-gateway-0123456789ab!', 'no [redacted]!'],
])('redacts %s', (_, text, left) => {
  expect(redact(text)).toBe(left);
});

it('redacts secrets after an escape, as in JSON', () => {
  const quoted = redactor(['a-"token"-with-\\-of-the-gateway-0123']);
  const text = JSON.stringify(
    `row:\nw3s_zYRd2mcmuG8QbVB3IbAi\teyJhbGciOi.eyJzdWIi.c2ln a-"token"-with-\\-of-the-gateway-0123`,
  );
  expect(quoted(text)).toBe('"row:\\nw3s_[redacted]\\t[redacted] [redacted]"');
  expect(redact('secret_key%3Dw3s_zYRd2mcmuG8QbVB3IbAi')).toBe('secret_key%3Dw3s_[redacted]');
});

it.each([
  'POST /api/apiKeys 200',
  'w3k_vfw8YWzfwa8agZq6anW6',
  'key:01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  'postgres://db:5432/keys',
  '0198c0de0000000000000000000000000000000000000000000000000000abcd',
])('keeps %s', (text) => {
  expect(redact(text)).toBe(text);
});
