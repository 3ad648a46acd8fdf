import fc from 'fast-check';
import { type Happening, World } from '../../test/model/world.js';

const RUNS = 3_000;

/** How often each thing happens, relatively. */
const WEIGHTS: Record<Happening['what'], number> = {
  begin: 3,
  commit: 3,
  change: 6,
  notify: 6,
  poll: 3,
  pausePolls: 2,
  resumePolls: 2,
  restartProcess: 1,
  restore: 1,
  askChanges: 5,
  receiveQuestion: 3,
  answerChanges: 6,
  deliverChanges: 5,
  changesRoundTrip: 20,
  expirePosition: 1,
  askVerdict: 5,
  answerVerdict: 6,
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
    afterMs: fc.constantFrom(0, 0, 0, 1, 10, 50, 100, 200, 400, 900),
    a: fc.nat(1_000),
    b: fc.nat(1_000),
  }),
  { minLength: 20, maxLength: 80 },
);

it('accepts no key later than its revocation and the bound, whatever is lost, late, paused or restored', () => {
  let accepted = 0;
  fc.assert(
    fc.property(happenings, fc.boolean(), fc.constantFrom(1, 2, 100), (events, canSuspend, loggedKeys) => {
      const world = new World({ canSuspend, loggedKeys });
      for (const event of events) world.happen(event);
      accepted += world.accepted;
    }),
    { numRuns: RUNS },
  );
  // Otherwise the property would hold for want of decisions
  expect(accepted).toBeGreaterThan(RUNS);
});
