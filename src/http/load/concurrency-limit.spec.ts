import { Admission } from './concurrency-limit.js';

it('counts each by its weight, and bulk up to half of the places', () => {
  const admission = new Admission(100, 'Too many.');
  admission.enter(50);
  expect(() => admission.enter(2)).toThrow('Too many. Try again in a moment.');
  for (let i = 0; i < 50; i++) admission.enter();
  expect(() => admission.enter()).toThrow('Too many.');
  expect([admission.underWay, admission.refused]).toEqual([100, 2]);
  admission.leave(50);
  expect(() => admission.enter(2)).toThrow('Too many.');
  admission.leave(2);
  admission.enter(2);
  expect(admission.underWay).toBe(50);
});
