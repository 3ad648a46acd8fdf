/** The result of a command: a JSON value for scripts, and a text for people. */
export class CommandReport {
  constructor(
    private readonly value: object,
    readonly text: string,
  ) {}

  toJSON(): object {
    return this.value;
  }
}

/** A line with a name and its values, one below the other. */
export function reportLine(name: string, ...values: readonly (string | number)[]): string {
  return `${name.padEnd(11)} ${values.join(`\n${' '.repeat(12)}`) || '-'}`;
}
