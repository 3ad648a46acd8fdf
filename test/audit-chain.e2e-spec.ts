import fc from 'fast-check';
import { DataSource } from 'typeorm';
import type { AuditAction } from '../src/audit/audit-actions.js';
import type { ErrorCode } from '../src/http/errors/error-codes.js';
import { AuditTrail } from '../src/audit/audit-trail.js';
import { EventFinder } from '../src/audit/event-finder.js';
import { checkAudit } from '../src/audit/audit-check.js';
import { useService } from './support/service.js';

let dataSource: DataSource;
let auditTrail: AuditTrail;
const service = useService();
beforeAll(async () => {
  dataSource = service.app.get(DataSource);
  auditTrail = service.app.get(AuditTrail, { strict: false });
});

const text = fc.string({ unit: 'binary', maxLength: 200 });
const hostile = fc.constantFrom('\0', '\ud800', 'x\udfff', '\\u0000', '"', "'; --", '\u{1f511}', '{}', 'NULL', '');
const texts = fc.oneof(text, hostile);
const ids = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.constantFrom('{01a20b9d-c4d9-7123-b878-6eb9911deb3f}', 'list', '01a20b9dc4d97123b8786eb9911deb3f'),
);
const numbers = fc.oneof(
  fc.double(),
  fc.constantFrom(-0, 1e308, 5e-324, 2 ** 53, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY),
);
const values = fc.anything({
  key: texts,
  values: [texts, numbers, fc.boolean(), fc.constant(null), fc.constant(undefined), fc.date(), fc.bigInt()],
  maxDepth: 3,
});

const origins = fc.record({ actor: texts, ip: fc.option(texts), requestId: fc.option(texts) });
const records = fc.array(
  fc.record(
    {
      action: texts as fc.Arbitrary<AuditAction>,
      apiKeyId: fc.option(ids),
      changes: fc.dictionary(texts, values),
      refusal: texts as fc.Arbitrary<ErrorCode>,
    },
    { requiredKeys: ['action', 'apiKeyId'] },
  ),
  { minLength: 1, maxLength: 4 },
);

it('holds for anything recorded, since the hash covers what the database returns', async () => {
  const owner = 'ann \u{1f511}';
  await fc.assert(
    fc.asyncProperty(origins, records, async (source, events) => {
      await dataSource.transaction((tx) => auditTrail.record(tx, owner, source, events));
    }),
    { numRuns: 300 },
  );
  const { events, problems: offences } = await checkAudit(dataSource);
  expect(offences).toEqual([]);
  expect(events).toBeGreaterThan(300);
});

it.each([
  ['an id in upper case', { apiKeyId: '01A20B9D-C4D9-7123-B878-6EB9911DEB3F' }, '01a20b9d-c4d9-7123-b878-6eb9911deb3f'],
  ['a string that is not an id', { apiKeyId: 'list' }, null],
])('records %s as the database stores it', async (name, record, apiKeyId) => {
  const source = { actor: 'session', ip: '203.0.113.7', requestId: null };
  await dataSource.transaction((tx) => auditTrail.record(tx, name, source, [{ action: 'key.created', ...record }]));
  const { events } = await service.app.get(EventFinder, { strict: false }).find(name, { limit: 1 });
  expect(events[0]?.apiKeyId).toBe(apiKeyId);
});

it('creates neither an event nor an owner when there is nothing to record', async () => {
  const source = { actor: 'session', ip: null, requestId: null };
  await dataSource.transaction((tx) => auditTrail.record(tx, 'nobody', source, []));
  expect(await dataSource.query(`SELECT FROM owners WHERE owner_id = 'nobody'`)).toEqual([]);
});
