import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** A TCP proxy that makes a server unavailable for a while. */
export interface Proxy {
  port: number;
  /** Closes all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Accepts connections again. */
  mend(): Promise<void>;
  /** The number of connections accepted so far. */
  connections(): number;
  /** Routes new connections to another server. */
  leadTo(port: number): void;
  /** Whether it drops PostgreSQL's notifications (`NOTIFY`) from now on, if it was started to be able to. */
  loseNotifications(isLosing: boolean): void;
  /** Holds back each piece of what the server answers from now on. */
  hold(milliseconds: number): void;
}

/**
 * @param options.losesNotifications whether it drops PostgreSQL's notifications (`NOTIFY`); absent: passes on all bytes unread
 * @param options.roundTripMs the added latency of a round trip
 */
export async function startProxy(
  targetHost: string,
  targetPort: number,
  { losesNotifications, roundTripMs = 0 }: { losesNotifications?: boolean; roundTripMs?: number } = {},
): Promise<Proxy> {
  let leadsTo = targetPort;
  const sockets = new Set<Socket>();
  let connections = 0;
  let heldMs = 0;
  let isLosing = losesNotifications ?? false;
  const server = createServer((client) => {
    connections++;
    const target = connect(leadsTo, targetHost);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      if (losesNotifications !== undefined && socket === target)
        socket.pipe(withoutNotifications(() => isLosing)).pipe(other);
      else if (roundTripMs > 0) socket.pipe(delayed(() => roundTripMs / 2)).pipe(other);
      else if (socket === target) socket.pipe(delayed(() => heldMs)).pipe(other);
      else socket.pipe(other);
    }
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
    mend: () => listen(port),
    connections: () => connections,
    leadTo: (to) => (leadsTo = to),
    loseNotifications: (lost) => (isLosing = lost),
    hold: (milliseconds) => (heldMs = milliseconds),
  };
}

/** Passes on chunks, each after the delay of its moment. */
function delayed(delayMs: () => number): Transform {
  return new Transform({
    readableHighWaterMark: 1_048_576,
    transform(chunk: Buffer, _encoding, done) {
      const milliseconds = delayMs();
      if (milliseconds === 0) return done(null, chunk);
      setTimeout(() => this.push(chunk), milliseconds);
      done();
    },
    flush: (done) => void setTimeout(done, delayMs()),
  });
}

/** While they are to be lost, drops each NotificationResponse (`A`) of PostgreSQL's protocol; every message has its length after its type. */
function withoutNotifications(isLosing: () => boolean): Transform {
  let rest = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const message = rest.subarray(0, 1 + rest.readUInt32BE(1));
        rest = rest.subarray(message.length);
        if (message[0] !== 'A'.charCodeAt(0) || !isLosing()) this.push(message);
      }
      done();
    },
  });
}
