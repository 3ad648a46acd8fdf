import fc from 'fast-check';
import { type Happening, World } from '../../test/model/world.js';

const RUNS = 3_000;

/** How often each thing happens, relatively. */
const WEIGHTS: Record<Happening['what'], number> = {
  begin: 5,
  commit: 4,
  change: 3,
  changeUnseen: 6,
  restoreUnseen: 4,
  notify: 6,
  poll: 3,
  pausePolls: 2,
  resumePolls: 2,
  restartProcess: 1,
  restore: 1,
  askAndAnswerChanges: 5,
  askAndAnswerVerdict: 5,
  askChanges: 2,
  receiveQuestion: 3,
  answerChanges: 3,
  deliverChanges: 5,
  changesRoundTrip: 20,
  expirePosition: 1,
  beginAnew: 4,
  askVerdict: 2,
  answerVerdict: 3,
  deliverVerdict: 5,
  verdictRoundTrip: 20,
  restartGuard: 1,
  suspend: 2,
  setClock: 2,
};

const happenings = fc.array(
  fc.record<Happening>({
    what: fc.oneof(
      ...Object.entries(WEIGHTS).map(([what, weight]) => ({
        weight,
        arbitrary: fc.constant(what as Happening['what']),
      })),
    ),
    afterMs: fc.constantFrom(0, 0, 0, 0, 1, 10, 50, 100, 200, 400, 900),
    a: fc.nat(1_000),
    b: fc.nat(1_000),
  }),
  { minLength: 20, maxLength: 100 },
);

it('accepts no key later than its revocation and the bound, whatever is lost, late, paused or restored', () => {
  let accepted = 0;
  fc.assert(
    fc.property(happenings, fc.boolean(), fc.constantFrom(1, 100), (events, canSuspend, loggedKeys) => {
      const world = new World({ canSuspend, loggedKeys });
      for (const event of events) world.happen(event);
      accepted += world.accepted;
    }),
    { numRuns: RUNS },
  );
  // Otherwise the property would hold for want of decisions
  expect(accepted).toBeGreaterThan(RUNS);
});
