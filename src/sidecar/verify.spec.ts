import type { IncomingMessage } from 'node:http';
import { type Guard, GuardUnavailableError, type GuardVerdict } from '@w3ipfs/api-keys-guard';
import type { ServiceTokens } from '../principals/service-tokens.js';
import type { ServiceBodies } from './service-bodies.js';
import { Verification } from './verify.js';

const VALID: GuardVerdict = { valid: true, code: 'VALID', scopes: [], source: 'local' };

/** The codes of a batch with these keys; the guard answers each check with the next of these. */
async function codesOf(apiKeys: string[], answers: (GuardVerdict | Error)[]): Promise<string[]> {
  const check = () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer as GuardVerdict;
  };
  const requests = apiKeys.map((apiKey) => ({ api_key: apiKey, secret_key: 's' }));
  const bodies = { check: () => undefined, receive: () => Promise.resolve({ requests }) } as unknown as ServiceBodies;
  const tokens = { identify: () => 'service:a' } as unknown as ServiceTokens;
  const verification = new Verification({ check } as unknown as Guard, tokens, bodies);
  const { body = '' } = await verification.verifyBatch({ raw: { url: '/' } as IncomingMessage, id: '1' });
  const { data } = JSON.parse(body) as { data: { verdicts: { code: string }[] } };
  return data.verdicts.map(({ code }) => code);
}

it('decides nothing more on a key of a batch once a request with it could not be decided', async () => {
  const failure = new GuardUnavailableError('away', 1);
  expect(await codesOf(['a', 'a', 'b'], [failure, VALID, VALID])).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'VALID']);
});

it('decides the requests of a batch with the same key one after the other', async () => {
  expect(await codesOf(['a', 'a'], [VALID, { ...VALID, valid: false, code: 'REVOKED' }])).toEqual(['VALID', 'REVOKED']);
});
