import { documentedBody, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { outcomeOf } from './support/answers.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

const service = useService();

const session = sessionOf('ann');
const mixed = (id: string) => id.replace(/[a-f]/, (letter) => letter.toUpperCase());
const SPELLINGS: [string, (id: string) => string][] = [
  ['in upper case', (id) => id.toUpperCase()],
  ['in mixed case', mixed],
];
const call = (method: string, path: string, headers: Record<string, string> = session, body?: object) =>
  service.client.call(method, `/api/apiKeys/${path}`, { headers, body });

describe.each(SPELLINGS)('an id %s', (_, spelled) => {
  let key: IssuedKey;
  beforeEach(async () => {
    key = await issueKey(service.client, 'ann', powerlessBody);
  });

  it('identifies the same key in every path', async () => {
    const id = spelled(key.id);
    expect(id).not.toBe(key.id);
    for (const path of ['', '/usage']) {
      const [one, other] = [await call('GET', `${id}${path}`), await call('GET', `${key.id}${path}`)];
      expect([one.status, one.body]).toEqual([200, other.body]);
    }
    expect((await call('PATCH', id, session, { name: 'renamed' })).body.data).toMatchObject({
      id: key.id,
      name: 'renamed',
    });
    expect((await call('POST', `${id}/rotate`, session, {})).body.data.id).toBe(key.id);
    expect((await call('DELETE', id)).status).toBe(200);
    expect((await call('GET', key.id)).body.data.status).toBe('revoked');
    expect(outcomeOf(await call('DELETE', id))).toBe('404 key_not_found');
  });

  it('finds the same events by the key and by the actor', async () => {
    const admin = await issueKey(service.client, 'ann', documentedBody);
    expect((await call('PATCH', key.id, pairHeaders(admin), { name: 'renamed' })).status).toBe(200);
    for (const filter of [(id: string) => `api_key_id=${id}`, (id: string) => `actor=key:${id}`]) {
      const id = filter(key.id).startsWith('actor') ? admin.id : key.id;
      const [one, other] = [
        await call('GET', `events?${filter(spelled(id))}`),
        await call('GET', `events?${filter(id)}`),
      ];
      expect(one.body).toEqual(other.body);
      expect(one.body.data.events.length).toBeGreaterThan(0);
    }
  });

  it('gives a key no more than its canonical spelling does', async () => {
    const admin = await issueKey(service.client, 'ann', { ...documentedBody, limits: { max_uses: 50 } });
    for (const body of [{ limits: { max_uses: null } }, { scopes: { admin: true } }, { enabled: false }]) {
      const [one, other] = [
        await call('PATCH', spelled(admin.id), pairHeaders(admin), body),
        await call('PATCH', admin.id, pairHeaders(admin), body),
      ];
      expect([one.status, one.body.error.code]).toEqual([other.status, other.body.error.code]);
      expect(one.status).toBe(403);
    }
  });

  it('is recorded in canonical spelling if the call was refused', async () => {
    const admin = await issueKey(service.client, 'bob', documentedBody);
    expect(outcomeOf(await call('GET', spelled(key.id), pairHeaders(admin)))).toBe('404 key_not_found');
    const refusals = async () => (await call('GET', 'events?action=call.refused', sessionOf('bob'))).body.data.events;
    const isRecorded = async () =>
      (await refusals()).some((event: { api_key_id: string }) => event.api_key_id === key.id);
    await until(isRecorded, 'the refused call to be recorded under its id');
  });
});
