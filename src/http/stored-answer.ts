/**
 * The answer that was given to the same request before, in place of doing what it asks. It is thrown, like an error, by
 * a guard that lets nobody through: so nothing behind the guard runs.
 */
export class StoredAnswer {
  constructor(
    readonly answer: object,
    readonly headers: Record<string, string>,
  ) {}
}
