import { createDataSource } from '../../database/data-source.js';
import { describeStatement, serverOf } from './query-spans.js';

it.each([
  ['SELECT "k"."id" FROM "api_keys" "k" WHERE "k"."id" = $1', 'SELECT', 'SELECT api_keys'],
  ['INSERT INTO "audit_events"("id") VALUES ($1)', 'INSERT', 'INSERT audit_events'],
  ['  update "api_keys" SET "name" = $1', 'UPDATE', 'UPDATE api_keys'],
  ['DELETE FROM key_changes WHERE seq IN (SELECT seq FROM other)', 'DELETE', 'DELETE key_changes'],
  ['SELECT count(*) FROM (SELECT FROM inner_one) AS x JOIN owners ON true', 'SELECT', 'SELECT'],
  ['START TRANSACTION', 'START', 'START'],
  ['COMMIT', 'COMMIT', 'COMMIT'],
  [
    'WITH locked AS (SELECT id FROM owners FOR UPDATE), b AS MATERIALIZED (SELECT 1)\n UPDATE api_keys AS k SET uses = 1 FROM locked',
    'UPDATE',
    'UPDATE api_keys',
  ],
  ['WITH RECURSIVE tree AS (SELECT 1) SELECT id FROM tree', 'SELECT', 'SELECT tree'],
  ["SELECT '(' FROM owners", 'SELECT', 'SELECT owners'],
  ['', 'QUERY', 'QUERY'],
])('%j is %s', (query, operation, summary) => {
  expect(describeStatement(query)).toEqual({ operation, summary });
});

it.each([
  [{ url: 'postgres://ann:secret@db.internal:6432/keys' }, { 'server.address': 'db.internal', 'server.port': 6_432 }],
  [{ url: 'postgres://ann@db.internal/keys' }, { 'server.address': 'db.internal', 'server.port': 5_432 }],
  [{ url: 'postgres:///keys?host=/run/postgresql' }, { 'server.address': '/run/postgresql', 'server.port': 5_432 }],
])('names the server of %j', (location, server) => {
  expect(serverOf(createDataSource(location))).toEqual({
    'db.system.name': 'postgresql',
    'db.namespace': 'keys',
    ...server,
  });
});
