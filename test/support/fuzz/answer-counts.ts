import type { Answer } from '../client.js';
import type { Operation } from './operations.js';

/** The number of answers by operation and status, and the verdicts given. */
export class AnswerCounts {
  private readonly statuses = new Map<string, Map<string, number>>();
  private readonly verdicts = new Map<string, number>();

  add(operation: Operation | undefined, { status, body }: Answer): void {
    const id = operation?.id ?? 'no such route';
    const ofOperation = this.statuses.get(id) ?? new Map<string, number>();
    this.statuses.set(id, ofOperation);
    increment(ofOperation, String(status));
    const verdicts: { code?: string }[] = body?.data?.verdicts ?? (body?.data?.valid === undefined ? [] : [body.data]);
    for (const { code = '' } of verdicts) increment(this.verdicts, code);
  }

  /** The documented operations and statuses that were not seen, except server errors. */
  unseen(operations: readonly Operation[], except: ReadonlySet<string>): string[] {
    return operations.flatMap(({ id, answers }) => {
      const seen = this.statuses.get(id);
      const expected = Object.keys(answers).filter((status) => status < '500' && !except.has(status));
      return expected.filter((status) => !seen?.has(status)).map((status) => `${id} ${status}`);
    });
  }

  unseenVerdicts(codes: readonly string[]): string[] {
    return codes.filter((code) => !this.verdicts.has(code));
  }

  /** A line for each operation. */
  table(): string {
    const lines = [...this.statuses, ['verdicts', this.verdicts] as const].map(([id, counts]) => {
      const pairs = [...counts].toSorted(([one], [other]) => one.localeCompare(other));
      return `${id.padEnd(20)}${pairs.map(([name, count]) => `${name}: ${count}`).join('  ')}`;
    });
    return lines.join('\n');
  }
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
