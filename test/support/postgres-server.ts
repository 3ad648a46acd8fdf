import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { makeFolder, removeFolder } from './folders.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A PostgreSQL of a test's own that can be frozen, killed and restarted on the same port. */
export class PostgresServer {
  private child: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly listensAt: number,
    private readonly settings: readonly string[] = [],
  ) {}

  /** @param settings as in its `postgresql.conf`, `name=value` */
  static async start(settings: readonly string[] = []): Promise<PostgresServer> {
    const server = new PostgresServer(makeFolder(), await freePort(), settings);
    if (ACCOUNT.uid !== undefined) chownSync(server.folder, ACCOUNT.uid, ACCOUNT.gid);
    const options = ['-D', server.dataFolder, '-U', 'postgres', '--auth', 'trust', '--no-sync', '-E', 'UTF8'];
    execFileSync(binary('initdb'), options, { ...ACCOUNT, cwd: server.folder, stdio: 'ignore' });
    await server.startAgain();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.listensAt}/postgres`;
  }

  /** Starts a standby with a copy of this server's data, which follows it until it is promoted. */
  async standby(): Promise<PostgresServer> {
    const standby = new PostgresServer(makeFolder(), await freePort());
    if (ACCOUNT.uid !== undefined) chownSync(standby.folder, ACCOUNT.uid, ACCOUNT.gid);
    const options = ['-D', standby.dataFolder, '-d', this.url, '-R', '-c', 'fast'];
    execFileSync(binary('pg_basebackup'), options, { ...ACCOUNT, cwd: standby.folder, stdio: 'ignore' });
    await standby.startAgain();
    return standby;
  }

  async promote(): Promise<void> {
    await this.query('SELECT pg_promote()');
    await until(async () => (await this.query('SELECT pg_is_in_recovery() AS is')).rows[0].is === false, 'a promotion');
  }

  async query(statement: string): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      return await client.query(statement);
    } finally {
      await client.end();
    }
  }

  async startAgain(): Promise<void> {
    const options = ['-D', this.dataFolder, '-p', String(this.listensAt), '-k', this.folder, '-h', '127.0.0.1'];
    options.push(...this.settings.flatMap((setting) => ['-c', setting]));
    this.child = spawn(binary('postgres'), options, { ...ACCOUNT, cwd: this.folder, stdio: 'ignore' });
    await until(() => this.answers(), 'PostgreSQL to start');
  }

  freeze(): void {
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  /** Kills the process of one connection: the server ends all others, and recovers, without a restart. */
  async crash(): Promise<void> {
    const [victim, witness] = [this.client(), this.client()];
    await Promise.all([victim.connect(), witness.connect()]);
    const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = [victim, witness].map((client) => new Promise<void>((resolve) => client.once('end', resolve)));
    process.kill((rows[0] as { pid: number }).pid, 'SIGKILL');
    await Promise.all(ended);
    await until(() => this.answers(), 'PostgreSQL to recover');
  }

  /** Stops it like a power loss; committed data is there at the next start. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child) return;
    this.signal('SIGKILL', child);
    await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    removeFolder(this.folder);
  }

  private get dataFolder(): string {
    return join(this.folder, 'data');
  }

  /** Each connection has a process of its own, which does not get its parent's signals. */
  private signal(signal: NodeJS.Signals, child = this.child): void {
    if (child?.pid === undefined) return;
    for (const pid of [child.pid, ...childrenOf(child.pid)]) signalTo(pid, signal);
  }

  /** The server may end its connection at any time. */
  private client(): pg.Client {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    return client;
  }

  private async answers(): Promise<boolean> {
    const client = this.client();
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end();
    }
  }
}

/** PostgreSQL refuses to run as root: tests of root run it as its package's account. */
const ACCOUNT = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};

/** Makes a folder and its content readable for such a server. */
export function giveToServer(folder: string): void {
  if (ACCOUNT.uid === undefined) return;
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    chownSync(path, ACCOUNT.uid, ACCOUNT.gid);
}

function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
}

function binary(name: string): string {
  return join(execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim(), name);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It may have exited in the meantime, or with its parent
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
  } catch {
    // It has exited in the meantime
    return undefined;
  }
}
