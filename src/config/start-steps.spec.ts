import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { startStep, withStartDeadline } from './start-steps.js';

const never = new Promise<never>(() => undefined);

it('gives up a start that takes too long, and says what it was waiting for', async () => {
  const start = async () => {
    await startStep('what comes', Promise.resolve());
    await Promise.all([startStep('the database', never), startStep('the key set', never)]);
  };
  await expect(withStartDeadline(start(), 20)).rejects.toThrow(
    'The start was given up after 0.02 s. It was waiting for: the database; the key set.',
  );
});

it('fails as the start does', async () => {
  await expect(withStartDeadline(startStep('the port', Promise.reject(new Error('taken'))))).rejects.toThrow('taken');
});

it('waits for work of its own for as long as it takes, and tells of it', async () => {
  let finish: (() => void) | undefined;
  const work = new Promise<void>((resolve) => (finish = resolve));
  const told = new Promise<string>((resolve) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => resolve(String(line)));
  });
  const start = withStartDeadline(startStep('its migrations', work, true), 20);
  expect(await told).toBe('Still at work after 0.02 s: its migrations.');
  finish?.();
  await start;
  jest.restoreAllMocks();
});
