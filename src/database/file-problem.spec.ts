import { fileProblem } from './file-problem.js';

/** As thrown by Emscripten: an object with a name and a number. */
const errnoError = (errno: number) => ({ name: 'ErrnoError', errno });

it.each([
  [errnoError(51), 'the disk is full (ENOSPC)'],
  [errnoError(1000), 'file system error 1000'],
  [Object.assign(new Error('open'), { errno: -28 }), undefined],
  [undefined, undefined],
])('describes %j as %s', (thrown, description) => {
  expect(fileProblem(thrown)).toBe(description);
});
