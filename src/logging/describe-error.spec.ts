import { QueryFailedError } from 'typeorm';
import { summarizeError } from './describe-error.js';

const failed = (code: string, message: string) =>
  summarizeError(new QueryFailedError('INSERT', ['a secret'], Object.assign(new Error(message), { code })));

it('says of a missing right what it is about, and which ones are needed', () => {
  expect(failed('42501', 'permission denied for table owners')).toBe(
    'a query failed: 42501 (permission denied for table owners; the service needs SELECT, INSERT, UPDATE on it)',
  );
  expect(failed('42501', 'permission denied for sequence key_changes_seq_seq')).toBe(
    'a query failed: 42501 (permission denied for sequence key_changes_seq_seq)',
  );
});

it('quotes nothing else of what the server says, which may have values in it', () => {
  expect(failed('42501', 'new row (a secret) violates a policy')).toBe('a query failed: 42501 (a right is missing)');
  expect(failed('23505', 'Key (name)=(a secret) already exists.')).toBe('a query failed: 23505');
});
