import { DataSource } from 'typeorm';
import { checkAudit } from '../../src/audit/audit-check.js';
import { SystemClock } from '../../src/config/clock.js';
import { range } from '../support/at-once.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { startService, type TestService } from '../support/service.js';
import { sessionOf } from '../support/sessions.js';
import { serviceHeaders, serviceVariables, verify } from '../support/verification.js';

const HOUR_MS = 3_600_000;
const REQUESTS = 5;

/** The host's clock, which somebody sets. */
class SteppedClock extends SystemClock {
  stepMs = 0;

  override now(): number {
    return super.now() + this.stepMs;
  }
}

const clock = new SteppedClock();
let service: TestService;
beforeAll(async () => {
  service = await startService(serviceVariables, undefined, clock);
});
afterAll(() => service.stop());

const issue = (limits: object = {}) => issueKey(service.client, 'ann', { ...powerlessBody, limits });
const codeOf = async (key: IssuedKey) => (await verify(service.client, key)).body.data.code;
const remove = ({ id }: IssuedKey) => service.client.delete(`/api/apiKeys/${id}`, sessionOf('ann'));

it.each([
  ['forward', 1],
  ['back', -1],
])(
  'keeps rates, revocations, readiness and the audit trail, though the clock is set an hour %s',
  async (_direction, hours) => {
    clock.stepMs = 0;
    const inHalfAnHour = new Date(Date.now() + HOUR_MS / 2).toISOString();
    const limited = await issue({ rate_limit: { requests: REQUESTS, window_seconds: 600 } });
    const [lasting, expiring, doomed, gone] = [
      await issue(),
      await issue({ expires_at: inHalfAnHour }),
      await issue(),
      await issue(),
    ];
    for (const key of [lasting, expiring, doomed, gone]) expect(await codeOf(key)).toBe('VALID');
    expect((await remove(gone)).status).toBe(200);
    const codes: string[] = [];
    for (const _ of range(REQUESTS + 1)) codes.push(await codeOf(limited));
    expect(codes).toEqual([...range(REQUESTS).map(() => 'VALID'), 'RATE_LIMITED']);

    clock.stepMs = hours * HOUR_MS;
    expect((await service.client.get('/health/ready')).status).toBe(200);
    expect([await codeOf(limited), await codeOf(lasting), await codeOf(gone)]).toEqual([
      'RATE_LIMITED',
      'VALID',
      'REVOKED',
    ]);
    // This is about the time of day
    expect(await codeOf(expiring)).toBe(hours > 0 ? 'EXPIRED' : 'VALID');
    expect((await remove(doomed)).status).toBe(200);
    expect(await codeOf(doomed)).toBe('REVOKED');
    const young = await issue();
    expect(await codeOf(young)).toBe('VALID');
    const { text } = await service.client.get('/metrics', serviceHeaders);
    expect(Number(/^w3ipfs_keys_change_feed_age_seconds (\S+)$/m.exec(text)?.[1])).toBeLessThan(60);
    expect((await checkAudit(service.app.get(DataSource))).offences).toEqual([]);
    // The one that was made last is listed first, whatever its time
    const { body } = await service.client.get('/api/apiKeys/list?limit=1', sessionOf('ann'));
    expect([young.id, limited.id, lasting.id, expiring.id]).toContain(body.data.api_keys[0].id);
    process.stdout.write(
      `Clock an hour ${hours > 0 ? 'forward' : 'back'}: 6 keys kept their state, 0 rates granted anew\n`,
    );
  },
);
