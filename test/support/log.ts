import { randomUUID } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';

/** The folder that the global teardown searches: the services' logs, and the secrets used. */
const FOLDER = process.env['TEST_LOGS'];

const secrets = new Set<string>();

/** Registers a secret that the test uses, right or wrong: it must not occur in any log. */
export function trackSecret(secret: unknown): void {
  // Shorter ones are words that may occur in a log
  if (typeof secret === 'string' && secret.length >= 16) secrets.add(secret.trim());
}

afterAll(() => {
  if (FOLDER) writeFileSync(join(FOLDER, `${randomUUID()}.secrets`), [...secrets].join('\n'));
});

/** Keeps the log of a service in this process, at every level, for the search. */
export class KeptLog implements LoggerService {
  private readonly file = FOLDER && join(FOLDER, `${randomUUID()}.log`);

  log = (...message: unknown[]): void => this.keep('log', message);
  error = (...message: unknown[]): void => this.keep('error', message);
  warn = (...message: unknown[]): void => this.keep('warn', message);
  debug = (...message: unknown[]): void => this.keep('debug', message);

  /** Also for the output of a process. */
  keep(level: string, message: unknown[]): void {
    const text = message.map((part) => (typeof part === 'string' ? part : inspect(part, { depth: 8 }))).join(' ');
    if (this.file) appendFileSync(this.file, `${level} ${text}\n`);
  }
}
