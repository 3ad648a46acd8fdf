import { QueryFailedError } from 'typeorm';
import { summarizeError } from './describe-error.js';

const failed = (code: string, message: string) =>
  summarizeError(new QueryFailedError('INSERT', ['a secret'], Object.assign(new Error(message), { code })));

it('names the object of a missing right, and the rights that are needed', () => {
  expect(failed('42501', 'permission denied for table owners')).toBe(
    'a query failed: 42501 (permission denied for table owners; the service needs SELECT, INSERT, UPDATE on it)',
  );
  expect(failed('42501', 'permission denied for sequence key_changes_seq_seq')).toBe(
    'a query failed: 42501 (permission denied for sequence key_changes_seq_seq)',
  );
});

it('quotes nothing else of the text of the server, which may contain values', () => {
  expect(failed('42501', 'new row (a secret) violates a policy')).toBe('a query failed: 42501 (a right is missing)');
  expect(failed('23505', 'Key (name)=(a secret) already exists.')).toBe('a query failed: 23505');
});
