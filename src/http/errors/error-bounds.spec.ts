import fc from 'fast-check';
import { ApiError, ValidationError } from './api-error.js';
import { failure } from '../envelope.js';
import { MAX_ERROR_BYTES } from './error-bounds.js';

const sizeOf = (error: ApiError) => Buffer.byteLength(JSON.stringify(failure(error, 'x'.repeat(128))));

it('does not change short details', () => {
  const details = [{ path: 'scopes.data', message: 'must be an object' }];
  expect(failure(new ValidationError(details), '1').error.details).toEqual(details);
});

it('names 100 problems, and counts the rest', () => {
  const details = Array.from({ length: 5_000 }, (_, index) => ({ path: `p${index}`, message: 'is not known' }));
  const named = failure(new ValidationError(details), '1').error.details ?? [];
  expect(named).toHaveLength(101);
  expect(named.slice(0, 100)).toEqual(details.slice(0, 100));
  expect(named[100]).toEqual({ path: '', message: 'and 4900 further problems' });
});

it('cuts a path to 200 characters without splitting a surrogate pair', () => {
  for (const path of ['x'.repeat(201), `${'x'.repeat(198)}${'\u{1f511}'.repeat(9)}`, '\u{1f511}'.repeat(60_000)]) {
    const [detail] = failure(new ValidationError([{ path, message: 'is not known' }]), '1').error.details ?? [];
    expect(detail?.path).toMatch(/^[^\p{Cs}]{99,199}…$/u);
    expect(path.startsWith(detail?.path.slice(0, -1) ?? '-')).toBe(true);
  }
  const longest = 'x'.repeat(200);
  const [detail] = failure(new ValidationError([{ path: longest, message: 'is not known' }]), '1').error.details ?? [];
  expect(detail?.path).toBe(longest);
});

it('never exceeds its maximum size, whatever it quotes', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc
      .constantFrom('\0', '\ud800', '"', '\u{1f511}', 'x', '語')
      .chain((unit) => fc.nat(70_000).map((n) => unit.repeat(n))),
  );
  const details = fc.tuple(fc.record({ path: text, message: text }), fc.constantFrom(1, 2, 99, 100, 101, 8_000));
  fc.assert(
    fc.property(text, details, (message, [detail, times]) => {
      const error = new ApiError('validation_failed', message, {
        details: Array.from({ length: times }, () => detail),
      });
      expect(sizeOf(error)).toBeLessThanOrEqual(MAX_ERROR_BYTES);
    }),
    { numRuns: 200 },
  );
});
