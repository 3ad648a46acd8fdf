import assert from 'node:assert/strict';
import { createGuard } from '../src/guard.js';
import type { KeyPair } from '../src/decision/index.js';
import type { Guard, GuardOptions } from '../src/types.js';
import { eventually } from './eventually.js';
import { FakeService, TOKEN } from './fake-service.js';

/** A fake service and the guards in front of it, for each test of a file. */
export class Guards {
  service = new FakeService();
  private readonly guards: Guard[] = [];

  static forEachTest(): Guards {
    const guards = new Guards();
    beforeEach(async () => {
      guards.service = await FakeService.start();
    });
    afterEach(async () => {
      await Promise.all(guards.guards.splice(0).map((guard) => guard.close()));
      await guards.service.stop();
    });
    return guards;
  }

  create(options: Partial<GuardOptions> = {}): Guard {
    const guard = createGuard({ url: this.service.url, token: TOKEN, ...options });
    this.guards.push(guard);
    return guard;
  }

  async createFresh(options: Partial<GuardOptions> = {}): Promise<Guard> {
    const guard = this.create(options);
    await eventually(() => assert.equal(guard.state, 'fresh'));
    return guard;
  }

  /** Has the guard decide on a pair by itself: it knows it then. */
  async learn(guard: Guard, pair: KeyPair): Promise<void> {
    await eventually(async () => assert.equal((await guard.check(pair)).source, 'local'));
  }
}
