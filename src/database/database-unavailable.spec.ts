import { DatabaseError } from 'pg';
import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { isConnectionLost, isDatabaseUnavailable } from './database-unavailable.js';
import { TimeoutError } from './with-timeout.js';

function fromServer(code: string): DatabaseError {
  return Object.assign(new DatabaseError('told by the server', 0, 'error'), { code });
}

it.each([
  ['a connection that broke', '08006'],
  ['a login refused', '28P01'],
  ['a database that is gone', '3D000'],
  ['a database closed for the moment', '55000'],
  ['too many connections', '53300'],
  ['a full disk', '53100'],
  ['a server that shuts down', '57P01'],
  ['a server that cannot read its files', '58030'],
  ['a standby that shall write', '25006'],
])('takes it for away: %s', (_, code) => {
  expect(isDatabaseUnavailable(fromServer(code))).toBe(true);
  expect(isDatabaseUnavailable(new QueryFailedError('SELECT 1', [], fromServer(code)))).toBe(true);
});

it.each([
  ['a duplicate', '23505'],
  ['a statement that is wrong', '42601'],
  ['a table that is missing', '42P01'],
])('takes it for a defect: %s', (_, code) => {
  expect(isDatabaseUnavailable(fromServer(code))).toBe(false);
});

it('takes it for away where a connection was lost under its transaction', () => {
  expect(isDatabaseUnavailable(new QueryRunnerAlreadyReleasedError())).toBe(true);
  expect(isDatabaseUnavailable(new QueryRunnerProviderAlreadyReleasedError())).toBe(true);
});

it('takes it for away where no answer comes, and for a defect where ours is none', () => {
  expect(isDatabaseUnavailable(new TimeoutError())).toBe(true);
  expect(isDatabaseUnavailable(new TypeError('undefined is not a function'))).toBe(false);
  expect(isDatabaseUnavailable('text')).toBe(false);
});

it('tells a connection that was cut from a database that is away', () => {
  expect(isConnectionLost(new QueryFailedError('SELECT 1', [], fromServer('57P01')))).toBe(true);
  expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isConnectionLost(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))).toBe(true);
  expect(isConnectionLost(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(false);
  expect(isConnectionLost(new Error('Connection terminated due to connection timeout'))).toBe(false);
  expect(isConnectionLost(new TimeoutError())).toBe(false);
});
