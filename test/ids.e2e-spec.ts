import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { ApiKey } from '../src/api-keys/api-key.entity.js';
import { ApiKeysService } from '../src/api-keys/api-keys.service.js';
import type { KeyPatch } from '../src/api-keys/key-patch.js';
import { ADMIN_SCOPES } from '../src/principals/scopes.js';
import { checkAudit } from '../src/audit/audit-check.js';
import { OPERATOR } from '../src/principals/audit-source.js';
import { outcomeOf } from './support/answers.js';
import { documentedBody, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

let dataSource: DataSource;
const service = useService();
beforeAll(async () => {
  dataSource = service.app.get(DataSource);
});

const spellings: [string, (id: string) => string][] = [
  ['upper case', (id) => id.toUpperCase()],
  ['mixed case', (id) => id.replace(/[a-f]/g, (letter, at: number) => (at % 2 ? letter : letter.toUpperCase()))],
];

const eventsOf = async (owner: string, action: string) =>
  (await service.client.get(`/api/apiKeys/events?limit=100&action=${action}`, sessionOf(owner))).body.data.events;

describe.each(spellings)('an id in %s', (spelling, spell) => {
  const owner = `owner of ${spelling}`;
  const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${spell(id)}`;

  it('is recorded in canonical spelling in every refusal, and the audit trail stays intact', async () => {
    const target = await issueKey(service.client, owner);
    const powerless = await issueKey(service.client, owner, powerlessBody);
    const revoked = await issueKey(service.client, owner);
    await service.client.delete(pathOf(revoked), sessionOf(owner));
    for (const headers of [pairHeaders(powerless), pairHeaders(revoked), sessionOf('stranger')]) {
      expect((await service.client.get(pathOf(target), headers)).status).toBeGreaterThanOrEqual(401);
    }
    await service.client.call('PATCH', pathOf(target), { headers: sessionOf(owner), body: { name: 'renamed' } });
    await service.client.post(`${pathOf(target)}/rotate`, sessionOf(owner), {});
    await until(async () => (await eventsOf(owner, 'call.refused')).length === 2, 'the refused calls to be recorded');
    for (const action of ['call.refused', 'key.updated', 'key.rotated']) {
      for (const event of await eventsOf(owner, action)) expect(event.api_key_id).toBe(target.id);
    }
    expect((await checkAudit(dataSource)).problems).toEqual([]);
  });

  it.each<[string, KeyPatch]>([
    ['max_uses', { limits: { maxUses: null } }],
    ['scopes', { scopes: ADMIN_SCOPES }],
    ['enabled', { enabled: false }],
  ])('does not let a key change its own %s', async (_, update) => {
    const { id } = await issueKey(service.client, owner, { ...documentedBody, limits: { max_uses: 5 } });
    const { secretGeneration } = await dataSource.getRepository(ApiKey).findOneByOrFail({ id });
    const caller = { ownerId: owner, key: { id, secretGeneration }, source: OPERATOR };
    const apiKeys = service.app.get(ApiKeysService, { strict: false });
    await expect(apiKeys.update(caller, spell(id), update)).rejects.toMatchObject({ code: 'exceeds_issuer' });
  });

  it('does not let a key change itself over HTTP either, but lets it rotate itself', async () => {
    const admin = await issueKey(service.client, owner, { ...documentedBody, limits: { max_uses: 50 } });
    const change = (body: object) => service.client.call('PATCH', pathOf(admin), { headers: pairHeaders(admin), body });
    for (const body of [{ limits: { max_uses: null } }, { scopes: powerlessBody.scopes }, { enabled: false }]) {
      expect(outcomeOf(await change(body))).toBe('403 exceeds_issuer');
    }
    expect((await change({ name: 'renames itself' })).status).toBe(200);
    expect((await service.client.post(`${pathOf(admin)}/rotate`, pairHeaders(admin), {})).status).toBe(200);
  });

  it('is the same rotation under one Idempotency-Key', async () => {
    const key = await issueKey(service.client, owner, powerlessBody);
    const headers = { ...sessionOf(owner), 'idempotency-key': randomUUID() };
    const [first, second] = [
      await service.client.post(`/api/apiKeys/${key.id}/rotate`, headers, {}),
      await service.client.post(`${pathOf(key)}/rotate`, headers, {}),
    ];
    expect([second.status, second.text]).toEqual([200, first.text]);
  });

  it('finds the events of a key, and those that it caused', async () => {
    const admin = await issueKey(service.client, owner);
    await service.client.call('PATCH', pathOf(admin), { headers: pairHeaders(admin), body: { name: 'self-made' } });
    const find = async (query: string) =>
      (await service.client.get(`/api/apiKeys/events?${query}`, sessionOf(owner))).body.data.events.length;
    expect([await find(`api_key_id=${spell(admin.id)}`), await find(`actor=key:${spell(admin.id)}`)]).toEqual([2, 1]);
  });
});
