import { connect, type Socket } from 'node:net';
import { until } from './until.js';

/** A connection on which a test writes arbitrary bytes. */
export class RawConnection {
  /** Everything received so far. */
  text = '';
  isClosed = false;
  private readonly socket: Socket;

  /** @param from the local address, any of the loopback network */
  constructor(url: string, from?: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), ...(from !== undefined && { localAddress: from }) });
    this.socket.on('data', (chunk: Buffer) => (this.text += chunk.toString('latin1')));
    // An abrupt end counts as an end
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
  }

  /** Resolves once the bytes have been passed to the system. */
  write(bytes: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** The statuses of the answers so far, in order. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }

  async answers(count: number): Promise<number[]> {
    await until(() => this.statuses.length >= count || this.isClosed, `${count} answers`);
    return this.statuses;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
