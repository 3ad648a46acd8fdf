import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { LateAnswerError } from '../database/within.js';
import { AllowedMethods } from './allowed-methods.js';
import { ErrorAnswers } from './error-answers.js';

afterEach(() => void jest.restoreAllMocks());

it('logs an outage in one line for each request, and a defect with its stack', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const answers = new ErrorAnswers(new AllowedMethods());
  const request = { id: 'r1', method: 'GET', url: '/' };

  expect(answers.of(new LateAnswerError('no answer'), request).status).toBe(503);
  expect(warn.mock.calls).toEqual([[expect.stringMatching(/^r1 .* no answer$/)]]);
  expect(answers.of(new TypeError('a defect'), request).status).toBe(500);
  expect(error.mock.calls).toEqual([[expect.stringMatching(/^r1 TypeError: a defect\n +at /)]]);
});
