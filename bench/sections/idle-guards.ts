import { setTimeout as sleep } from 'node:timers/promises';
import { firstOf, type GuardSetup, type ServiceWithKeys, withKeys } from '../guard-setup.js';
import { alternateTimes, load, type Round, warmUp } from '../load.js';
import { type Measured, startMeasured } from '../process.js';
import { verify } from '../requests.js';
import { printBarHeading, printBarRow, printHeading, printRow } from '../table.js';

const MANY = 200;
/** The first questions and collections of garbage do not count. */
const SETTLE_MS = 5_000;
const IDLE_SECONDS = 20;
const ROUNDS = 5;
const MAX_CORE = '0.1 % of a core';

/** What guards cost in a second in which nobody asks them. */
interface IdleCost {
  asked: number;
  /** In seconds. */
  guardCpu: number;
  serviceCpu: number;
}

/** Measures guards that are not asked: alone, many of them, and what they take away from the service's verify. */
export function idleGuards(): Promise<void> {
  return withKeys(1, async (started) => {
    const { service, setup } = started;
    const measure = (count: number) => withGuards(setup, count, (guards) => idleCost(service, guards));
    const none = await measure(0);
    printBarHeading('Idle guards on one service process: what they add');
    for (const count of [1, MANY]) print(count, none, await measure(count));
    await besideVerify(started);
  });
}

async function idleCost(service: Measured, guards: Measured): Promise<IdleCost> {
  await sleep(SETTLE_MS);
  const read = async () => ({
    asked: await askedBy(guards),
    guardCpu: guards.threadSeconds(),
    serviceCpu: service.threadSeconds(),
  });
  const before = await read();
  await sleep(IDLE_SECONDS * 1_000);
  const after = await read();
  const perSecond = (figure: keyof IdleCost) => (after[figure] - before[figure]) / IDLE_SECONDS;
  return { asked: perSecond('asked'), guardCpu: perSecond('guardCpu'), serviceCpu: perSecond('serviceCpu') };
}

async function askedBy(guards: Measured): Promise<number> {
  const answer = await fetch(guards.url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return Number(text);
}

function print(count: number, none: IdleCost, some: IdleCost): void {
  const each = (figure: keyof IdleCost) => (some[figure] - none[figure]) / count;
  const guards = count === 1 ? '1 guard' : `${count} guards, each`;
  printBarRow(`${guards}: questions`, `${each('asked').toFixed(2)}/s`, 'at most 4/s');
  printBarRow(`${guards}: CPU of its process`, percent(each('guardCpu')), MAX_CORE);
  printBarRow(`${guards}: CPU of the service`, percent(each('serviceCpu')), MAX_CORE);
}

function percent(ofACore: number): string {
  return `${(100 * ofACore).toFixed(3)} %`;
}

/** Guards are started for each of their rounds, and stopped. */
async function besideVerify({ service, setup, pairs }: ServiceWithKeys): Promise<void> {
  const work = verify('verify, hit', firstOf(pairs));
  await warmUp(service, work);
  const [without, beside] = await alternateTimes(ROUNDS, [
    () => load(service, work),
    () => withGuards<Round>(setup, MANY, () => load(service, work)),
  ]);
  if (!without || !beside) throw new Error('alternate() has lost a run');
  printHeading(`verify beside ${MANY} idle guards`, 'verify alone');
  printRow(`beside ${MANY} guards, must reach 0.95`, beside, without);
  printRow('*alone*', without, without);
}

async function withGuards<T>(setup: GuardSetup, count: number, use: (guards: Measured) => Promise<T>): Promise<T> {
  const argument = JSON.stringify({ ...setup, count });
  const guards = await startMeasured(['--import', 'tsx', 'bench/processes/idle-guards.ts', argument], {});
  try {
    return await use(guards);
  } finally {
    await guards.stop();
  }
}
