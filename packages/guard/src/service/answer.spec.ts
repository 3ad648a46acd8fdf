import { NoAnswerError, readAnswer } from './answer.js';

it('reads data from a success', () => {
  expect(readAnswer(200, undefined, '{"data":{"a":1},"status":"success"}')).toEqual({
    status: 200,
    data: { a: 1 },
    error: undefined,
    retryAfterSeconds: 1,
  });
});

it('reads the error and when to ask again', () => {
  const text = '{"status":"error","error":{"code":"unavailable","message":"m"},"request_id":"r"}';
  const error = { code: 'unavailable', message: 'm' };
  expect(readAnswer(503, '7', text)).toMatchObject({ status: 503, error, retryAfterSeconds: 7 });
  for (const header of ['0', '-1', 'Wed, 21 Oct 2015 07:28:00 GMT', ''])
    expect(readAnswer(503, header, text).retryAfterSeconds).toBe(1);
});

it.each([
  [502, '<html>Bad gateway</html>'],
  [503, ''],
  [200, '<html>Sign in</html>'],
  [200, 'null'],
  [200, '[]'],
  [200, '{"data":{}}'],
  [404, '{"message":"not found"}'],
  [500, '{"data":{},"status":"success"}'],
])('takes a %i with %j for no answer of the service', (status, text) => {
  expect(() => readAnswer(status, undefined, text)).toThrow(NoAnswerError);
});

it.each([401, 410])('takes a %i for what it says, whatever comes with it', (status) => {
  expect(readAnswer(status, undefined, '<html></html>').status).toBe(status);
});
