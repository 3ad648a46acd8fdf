import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Certificates } from './certificates.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** Whether tests can start a redis-server. */
export const HAS_REDIS_SERVER = spawnSync('redis-server', ['--version']).status === 0;

/** A Redis of a test's own that can be frozen, killed and restarted on the same port. */
export class RedisServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  /** @param settings its command line, with an optional file first */
  static async start(settings: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    return RedisServer.run(port, [...settings, '--port', String(port)]);
  }

  /** Only with TLS, at `localhost`, the name in its certificate. */
  static async startWithTls({ ca, cert, key }: Certificates): Promise<RedisServer> {
    const port = await freePort();
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca];
    return RedisServer.run(port, ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files]);
  }

  private static async run(port: number, options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(port, options);
    await server.startAgain();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async startAgain(): Promise<void> {
    const child = spawn('redis-server', [...this.options, '--bind', '127.0.0.1', '--save', '']);
    this.child = child;
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(() => /Ready to accept connections|Sentinel ID is/.test(output), 'redis-server to start');
  }

  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
