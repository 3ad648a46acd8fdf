import type { Client } from '../client.js';
import { serviceHeaders } from '../verification.js';

const MIB = 1_048_576;
/** What a request may leave behind at most, and what the heap goes up and down by anyhow. */
const LEFT_BY_REQUEST = 2_048;
const NOISE = onlyCollectsNowAndThen();

function onlyCollectsNowAndThen(): number {
  return 12 * MIB;
}

interface Sample {
  requests: number;
  heap: number;
  resident: number;
}

/** How much memory the service uses, as it says itself. */
export class HeapSamples {
  private readonly samples: Sample[] = [];

  constructor(private readonly client: Client) {}

  async take(requests: number): Promise<void> {
    const { text } = await this.client.get('/metrics', serviceHeaders);
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    const heap = value('nodejs_heap_size_used_bytes');
    this.samples.push({ requests, heap, resident: value('process_resident_memory_bytes') });
  }

  series(): string {
    return this.samples.map((s) => (s.heap / MIB).toFixed(0)).join(' ');
  }

  /** By how much the least used heap of the last quarter exceeds that of the second one: what was never collected. */
  growth(): number {
    return this.least(3) - this.least(1);
  }
  bound(): number {
    return NOISE + LEFT_BY_REQUEST;
  }

  private least(quarter: number): number {
    const length = this.samples.length / 4;
    return Math.min(...this.samples.slice(quarter * length, (quarter + 1) * length).map(({ heap }) => heap));
  }
}
