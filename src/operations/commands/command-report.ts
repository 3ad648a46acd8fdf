/** What programs are shown as one value, and people as a text. */
export class CommandReport {
  constructor(
    private readonly value: object,
    readonly text: string,
  ) {}

  toJSON(): object {
    return this.value;
  }
}

/** A name and its values, one below the other. */
export function reportLine(name: string, ...values: readonly (string | number)[]): string {
  return `${name.padEnd(11)} ${values.join(`\n${' '.repeat(12)}`) || '-'}`;
}
