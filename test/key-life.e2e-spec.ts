import { issueKey, pairHeaders } from './support/keys.js';
import { startService, type TestService } from './support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

it('lets a key rename itself', async () => {
  const key = await issueKey(service.client, 'ann');
  const answer = await service.client.call('PATCH', `/api/apiKeys/${key.id}`, { headers: pairHeaders(key), body: { name: 'new' } });
  expect(answer.body).toMatchObject({ data: { name: 'new' } });
  const rotated = await service.client.call('POST', `/api/apiKeys/${key.id}/rotate`, { headers: pairHeaders(key) });
  expect(rotated.body).toMatchObject({ data: { name: 'new' } });
});
