import { fileProblem } from './file-problem.js';

/** As Emscripten throws it: an object with a name and a number. */
const thrown = (errno: number) => ({ name: 'ErrnoError', errno });

it.each([
  [thrown(51), 'no room is left on the disk (ENOSPC)'],
  [thrown(1000), 'its file system says 1000'],
  [Object.assign(new Error('open'), { errno: -28 }), undefined],
  [undefined, undefined],
])('says of %j: %s', (what, words) => {
  expect(fileProblem(what)).toBe(words);
});
