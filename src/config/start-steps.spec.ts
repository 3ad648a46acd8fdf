import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { startStep, withStartDeadline } from './start-steps.js';

const never = new Promise<never>(() => undefined);

it('times out a start that takes too long, and names the steps that it was waiting for', async () => {
  const start = async () => {
    await startStep('a step that completes', Promise.resolve());
    await Promise.all([startStep('the database', never), startStep('the key set', never)]);
  };
  await expect(withStartDeadline(start(), 20)).rejects.toThrow(
    'The start timed out after 0.02 s. It was waiting for: the database; the key set.',
  );
});

it('rethrows the error of the start', async () => {
  await expect(withStartDeadline(startStep('the port', Promise.reject(new Error('taken'))))).rejects.toThrow('taken');
});

it('waits for its own work without a deadline, and logs it', async () => {
  let finish: (() => void) | undefined;
  const work = new Promise<void>((resolve) => (finish = resolve));
  const logged = new Promise<string>((resolve) => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => resolve(String(line)));
  });
  const start = withStartDeadline(startStep('its migrations', work, true), 20);
  expect(await logged).toBe('Still in progress after 0.02 s: its migrations.');
  finish?.();
  await start;
  jest.restoreAllMocks();
});
