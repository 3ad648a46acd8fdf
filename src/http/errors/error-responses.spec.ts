import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { TimeoutError } from '../../database/with-timeout.js';
import { AllowedMethods } from '../allowed-methods.js';
import { ErrorResponses } from './error-responses.js';

afterEach(() => void jest.restoreAllMocks());

it('logs an outage once, each affected request at debug level, and a defect with its stack', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  const debug = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
  const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const answers = new ErrorResponses(new AllowedMethods());
  const request = { id: 'r1', method: 'GET', url: '/' };

  for (const id of ['r1', 'r2']) expect(answers.of(new TimeoutError('no answer'), { ...request, id }).status).toBe(503);
  expect(warn.mock.calls).toEqual([['The database is unavailable (no answer).']]);
  expect(debug.mock.calls).toEqual(['r1', 'r2'].map((id) => [`${id} was answered 503 (Error: no answer).`]));
  expect(answers.of(new TypeError('a defect'), request).status).toBe(500);
  expect(error.mock.calls).toEqual([[expect.stringMatching(/^r1 TypeError: a defect\n +at /)]]);
});
