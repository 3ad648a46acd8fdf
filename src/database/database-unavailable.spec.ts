import { DatabaseError } from 'pg';
import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { isConnectionLost, isDatabaseUnavailable } from './database-unavailable.js';
import { TimeoutError } from './with-timeout.js';

function fromServer(code: string): DatabaseError {
  return Object.assign(new DatabaseError('from the server', 0, 'error'), { code });
}

it.each([
  ['a broken connection', '08006'],
  ['a failed login', '28P01'],
  ['a missing database', '3D000'],
  ['a database closed for the moment', '55000'],
  ['too many connections', '53300'],
  ['a full disk', '53100'],
  ['a server shutdown', '57P01'],
  ['a server that cannot read its files', '58030'],
  ['a write on a standby', '25006'],
])('means unavailable: %s', (_, code) => {
  expect(isDatabaseUnavailable(fromServer(code))).toBe(true);
  expect(isDatabaseUnavailable(new QueryFailedError('SELECT 1', [], fromServer(code)))).toBe(true);
});

it.each([
  ['a duplicate', '23505'],
  ['a faulty statement', '42601'],
  ['a missing table', '42P01'],
])('means a defect: %s', (_, code) => {
  expect(isDatabaseUnavailable(fromServer(code))).toBe(false);
});

it('means unavailable if a connection was lost during its transaction', () => {
  expect(isDatabaseUnavailable(new QueryRunnerAlreadyReleasedError())).toBe(true);
  expect(isDatabaseUnavailable(new QueryRunnerProviderAlreadyReleasedError())).toBe(true);
});

it('means unavailable after a timeout, and a defect for errors of our own', () => {
  expect(isDatabaseUnavailable(new TimeoutError())).toBe(true);
  expect(isDatabaseUnavailable(new TypeError('undefined is not a function'))).toBe(false);
  expect(isDatabaseUnavailable('text')).toBe(false);
});

it('distinguishes a lost connection from an unavailable database', () => {
  expect(isConnectionLost(new QueryFailedError('SELECT 1', [], fromServer('57P01')))).toBe(true);
  expect(isConnectionLost(new Error('Connection terminated unexpectedly'))).toBe(true);
  expect(isConnectionLost(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))).toBe(true);
  expect(isConnectionLost(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toBe(false);
  expect(isConnectionLost(new Error('Connection terminated due to connection timeout'))).toBe(false);
  expect(isConnectionLost(new TimeoutError())).toBe(false);
});
