import { rateLimitHeaders } from './rate-limit-headers.js';

const key = { name: 'key', limit: 100, windowSeconds: 10, remaining: 50, resetSeconds: 5, retryAfterSeconds: 0 };
const management = { ...key, name: 'management', limit: 60, windowSeconds: 60, remaining: 59, resetSeconds: 60 };

it('states the policy and what is left of it', () => {
  expect(rateLimitHeaders([key])).toEqual({
    'RateLimit-Policy': '"key";q=100;w=10',
    RateLimit: '"key";r=50;t=5',
  });
});

it('lists several limits', () => {
  expect(rateLimitHeaders([key, management])).toEqual({
    'RateLimit-Policy': '"key";q=100;w=10, "management";q=60;w=60',
    RateLimit: '"key";r=50;t=5, "management";r=59;t=60',
  });
});

it('says when to come back where a limit has refused, at the same time in both fields', () => {
  const refused = { ...key, remaining: 2, resetSeconds: 9, retryAfterSeconds: 3 };
  expect(rateLimitHeaders([management, refused])).toMatchObject({
    RateLimit: '"management";r=59;t=60, "key";r=2;t=3',
    'Retry-After': '3',
  });
});

it('says nothing where there is no limit', () => {
  expect(rateLimitHeaders([])).toEqual({});
});

it('escapes what a name may hold, and refuses what no field may hold', () => {
  expect(rateLimitHeaders([{ ...key, name: 'a "b" \\' }])).toMatchObject({ RateLimit: '"a \\"b\\" \\\\";r=50;t=5' });
  for (const name of ['ü', 'a\r\nSet-Cookie: x', 'a\u007f']) {
    expect(() => rateLimitHeaders([{ ...key, name }])).toThrow(RangeError);
  }
});
