import { rateLimitHeaders } from './rate-limit-headers.js';

const key = { name: 'key', limit: 100, windowSeconds: 10, remaining: 50, resetSeconds: 5, retryAfterSeconds: 0 };
const management = { ...key, name: 'management', limit: 60, windowSeconds: 60, remaining: 59, resetSeconds: 60 };

it('states the policy and what remains of it', () => {
  expect(rateLimitHeaders([key])).toEqual({
    'RateLimit-Policy': '"key";q=100;w=10',
    RateLimit: '"key";r=50;t=5',
  });
});

it('leaves out a window that is not known', () => {
  const { windowSeconds: _, ...unknown } = key;
  expect(rateLimitHeaders([unknown])['RateLimit-Policy']).toBe('"key";q=100');
});

it('lists several limits', () => {
  expect(rateLimitHeaders([key, management])).toEqual({
    'RateLimit-Policy': '"key";q=100;w=10, "management";q=60;w=60',
    RateLimit: '"key";r=50;t=5, "management";r=59;t=60',
  });
});

it('says when to retry after a limit denied the request, consistently in both fields', () => {
  const refused = { ...key, remaining: 2, resetSeconds: 9, retryAfterSeconds: 3 };
  expect(rateLimitHeaders([management, refused])).toMatchObject({
    RateLimit: '"management";r=59;t=60, "key";r=2;t=3',
    'Retry-After': '3',
  });
});

it('sends no headers without a limit', () => {
  expect(rateLimitHeaders([])).toEqual({});
});

it('escapes quotes and backslashes in names, and rejects other characters', () => {
  expect(rateLimitHeaders([{ ...key, name: 'a "b" \\' }])).toMatchObject({ RateLimit: '"a \\"b\\" \\\\";r=50;t=5' });
  for (const name of ['ü', 'a\r\nSet-Cookie: x', 'a\u007f']) {
    expect(() => rateLimitHeaders([{ ...key, name }])).toThrow(RangeError);
  }
});
