import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { IssuedKey } from './keys.js';
import { serviceHeaders } from './verification.js';

/** What a guard saw of a key that was revoked; moments by the machine's clock, in milliseconds. */
export interface Denial {
  apiKey: string;
  /** When the last check that accepted it began; 0 if none did. */
  lastValidAt: number;
  deniedAt: number;
  stats: { asked: number; failed: number; decided: Record<string, number> };
}

interface Message {
  ready?: true;
  learned?: string;
  denied?: Denial;
}

/** A process with a guard of the built library; see `guard-program.js`. */
export class GuardProcess {
  private readonly awaited = new Map<string, (value: Denial | undefined) => void>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ learned, denied }: Message) => {
      if (learned !== undefined) this.settle(`learn ${learned}`, undefined);
      if (denied) this.settle(`deny ${denied.apiKey}`, denied);
    });
  }

  static async start(url: string): Promise<GuardProcess> {
    const token = serviceHeaders.authorization.replace('Bearer ', '');
    const env = { PATH: process.env['PATH'], GUARD_URL: url, GUARD_TOKEN: token };
    const child = fork('test/support/guard-program.js', { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await once(child, 'message');
    return new GuardProcess(child);
  }

  /** Resolves once it decides on the key by itself. */
  async learn(key: IssuedKey): Promise<void> {
    const learned = this.result(`learn ${key.api_key}`);
    this.child.send({ learn: pairOf(key) });
    await learned;
  }

  /** Checks the key again and again. @returns what it saw, once it denies it as revoked */
  watch(key: IssuedKey): Promise<Denial> {
    const denial = this.result(`deny ${key.api_key}`);
    this.child.send({ watch: pairOf(key) });
    return denial as Promise<Denial>;
  }

  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  private result(name: string): Promise<Denial | undefined> {
    return new Promise((resolve) => this.awaited.set(name, resolve));
  }

  private settle(name: string, value: Denial | undefined): void {
    this.awaited.get(name)?.(value);
    this.awaited.delete(name);
  }
}

function pairOf({ api_key: apiKey, secret_key: secretKey }: IssuedKey) {
  return { apiKey, secretKey };
}
