/**
 * The answer to an earlier, identical request, sent instead of performing this one. A guard throws it like an error, so
 * that nothing after the guard runs.
 */
export class StoredAnswer {
  constructor(
    readonly answer: object,
    readonly headers: Record<string, string>,
  ) {}
}
