/** Nobody has answered in time. */
class NoAnswerError extends Error {}

/**
 * What a server answers within a time, in milliseconds. The time is up once the event loop has looked for what has
 * arrived: a timer of ours that is late says nothing about the server.
 *
 * @throws NoAnswerError; whatever the answer is rejected with
 */
export function answerInTime<T>(ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new NoAnswerError('no answer in time'));
    // After timers the loop polls its sockets, then come immediates; twice, since an answer may take two reads
    const timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
