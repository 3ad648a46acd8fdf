import type { Client } from '../client.js';
import { serviceHeaders } from '../verification.js';

const MIB = 1_048_576;
/**
 * The heap's ordinary variation: runs differ by -2.5 to 3.5 MiB. Between the compared quarters lies
 * half of the requests: of 20,000, a leak of 800 bytes in each passes, and one of 1 KiB may; of 2,000, ten times
 * as much.
 */
export const HEAP_NOISE = 8 * MIB;

/** Collects garbage once a second, so that the used heap is the reachable one: Node would delay it for long. */
const COLLECTOR = [
  "import v8 from 'node:v8'",
  "import vm from 'node:vm'",
  "v8.setFlagsFromString('--expose-gc')",
  "setInterval(vm.runInNewContext('gc'),1000).unref()",
].join(';');

/** The variables for a service process that collects garbage early. */
export const collectingVariables = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(COLLECTOR)}` };

interface Sample {
  heap: number;
  resident: number;
}

/** The memory use that the service reports. */
export class HeapSamples {
  private readonly samples: Sample[] = [];

  constructor(private readonly client: Client) {}

  async take(): Promise<void> {
    const { text } = await this.client.get('/metrics', serviceHeaders);
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    const heap = value('nodejs_heap_size_used_bytes');
    this.samples.push({ heap, resident: value('process_resident_memory_bytes') });
  }

  /** The growth of the least used heap from the second quarter to the last: never collected memory. */
  get growth(): number {
    return this.least(3) - this.least(1);
  }

  summary(): string {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    const resident = [first, last].map((sample) => inMib(sample?.resident ?? 0)).join(' to ');
    const [second, fourth] = [this.least(1), this.least(3)].map(inMib);
    return `heap at its least: ${second} in the second quarter, ${fourth} in the last; resident: ${resident}`;
  }

  private least(quarter: number): number {
    const length = this.samples.length / 4;
    return Math.min(...this.samples.slice(quarter * length, (quarter + 1) * length).map(({ heap }) => heap));
  }
}

function inMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
