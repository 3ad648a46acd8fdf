import type { Guard, GuardVerdict, KeyPair, Presented, Required } from '../src/index.js';

/** A guard that answers what the test says, and remembers what it was asked. */
export interface FakeGuard extends Guard {
  /** The next answers to every check: a verdict, or an error to throw; a promise of either for one from the service. */
  answer: GuardVerdict | Error | Promise<GuardVerdict>;
  readonly asked: { presented: Presented; required: Required | undefined }[];
  isClosed: boolean;
}

/** A pair of the right shape. */
export const PAIR: KeyPair = { apiKey: `w3k_${'a'.repeat(20)}`, secretKey: `w3s_${'b'.repeat(40)}` };

/** The headers that present it. */
export const PAIR_HEADERS = { pinning_api_key: PAIR.apiKey, pinning_secret_key: PAIR.secretKey };

export const VALID: GuardVerdict = {
  valid: true,
  code: 'VALID',
  keyId: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  ownerId: 'owner',
  name: 'key',
  scopes: ['data.pin_list'],
  source: 'local',
};

export function createFakeGuard(): FakeGuard {
  return {
    answer: VALID,
    asked: [],
    isClosed: false,
    state: 'fresh',
    check(presented, required) {
      this.asked.push({ presented, required });
      if (this.answer instanceof Error) throw this.answer;
      return this.answer;
    },
    stats: unused,
    metrics: () => '',
    ready: () => Promise.resolve(),
    close() {
      this.isClosed = true;
      return Promise.resolve();
    },
  };
}

function unused(): never {
  throw new Error('adapters do not read statistics');
}
