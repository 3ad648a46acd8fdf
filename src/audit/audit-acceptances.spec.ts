import { type AcceptedProblem, Acceptances } from './audit-acceptances.js';
import type { Finding } from './audit-problem.js';

const accepted: AcceptedProblem = {
  owner_id: 'ann',
  seq: '3',
  problem: 'altered',
  evidence: 'digest',
  previous: '',
  reason: 'restored from a backup',
  event: '9',
};
const finding = (evidence: string | null, seq = '3'): Finding => ({
  problem: { owner_id: 'ann', seq, problem: 'altered' },
  evidence,
});

it('covers the evidence that was accepted', () => {
  const acceptances = new Acceptances([accepted]);
  expect(acceptances.covers(finding('digest'))).toBe(true);
  expect(acceptances.current).toEqual([accepted]);
});

it('is outdated once the same problem has other evidence', () => {
  const acceptances = new Acceptances([accepted]);
  expect(acceptances.covers(finding('other digest'))).toBe(false);
  expect(acceptances.current).toEqual([]);
});

it('covers no other problem, owner or missing evidence', () => {
  const acceptances = new Acceptances([accepted]);
  expect(acceptances.covers(finding('other digest', '4'))).toBe(false);
  expect(acceptances.includes('bob', 'digest')).toBe(false);
  expect(new Acceptances([{ ...accepted, evidence: null }]).covers(finding(null))).toBe(false);
});
