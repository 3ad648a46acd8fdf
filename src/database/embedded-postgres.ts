import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { dataDir as freshCluster } from '@electric-sql/pglite-prepopulatedfs';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { closeToOthers, secureDataDir } from '../config/data-dir.js';
import { DataDirError } from './data-dir-error.js';
import { lockFile } from './folder-lock.js';

/** The port is but the name of the socket file here: pg looks for `.s.PGSQL.<port>` in the folder. */
const SOCKET_FILE = '.s.PGSQL.5432';
/** What the kernel takes for the path of a unix socket: 108 bytes on Linux, 104 on macOS, with the zero. */
const LONGEST_SOCKET_PATH = 103;
const MOST_CONNECTIONS = 50;

/**
 * PostgreSQL in this process (PGlite), served on a unix socket inside the data folder,
 * so that the ordinary driver talks to it, and to a server, in the same way.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly releaseLock: () => void,
  ) {}

  /**
   * Starts the database in the folder, creating both at the first start.
   *
   * @returns `undefined` if another process has it open: its socket serves this one too
   * @throws DataDirError if the folder's path is too long for a socket, or it cannot be kept from other users
   */
  static async start(dataDir: string): Promise<EmbeddedPostgres | undefined> {
    const socket = join(dataDir, SOCKET_FILE);
    if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) {
      throw new DataDirError(`DATA_DIR: ${dataDir} is too long for the socket inside it; choose a shorter path`);
    }
    secureDataDir(dataDir);
    const releaseLock = lockFile(join(dataDir, 'lock'));
    if (!releaseLock) return undefined;
    // Whoever holds the lock is alone: a socket that is there was left by a process that was killed
    rmSync(socket, { force: true });
    const cluster = join(dataDir, 'postgres');
    if (!existsSync(cluster)) await createCluster(cluster);
    const database = new PipelineAwarePGlite(cluster);
    const server = new PGLiteSocketServer({ db: database, path: socket, maxConnections: MOST_CONNECTIONS });
    await server.start();
    // What it unpacks and makes at its start has modes of its own, whatever the umask is
    closeToOthers(cluster);
    // Whoever can connect is the database's superuser
    chmodSync(socket, 0o600);
    return new EmbeddedPostgres(database, server, releaseLock);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.database.close();
    this.releaseLock();
  }
}

/**
 * Unpacks what `initdb` would make, in a fraction of its time, beside the place where it is to be:
 * a start that is killed here leaves nothing that a later one would take for a database.
 */
async function createCluster(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const database = await PGlite.create(unfinished, { loadDataDir: await freshCluster() });
  await database.close();
  renameSync(unfinished, folder);
}

/**
 * The socket server takes its clients' messages in turns, and gives one client several turns only
 * while a transaction is open. But a parameterised query outside a transaction is a pipeline of
 * messages too (Parse, Bind, Describe, Execute, Sync), and another client's Parse in between would
 * replace the statement that is about to be bound. So a pipeline counts as a transaction until its
 * Sync (PostgreSQL's protocol, "Extended Query").
 */
class PipelineAwarePGlite extends PGlite {
  private pipelineIsOpen = false;

  override isInTransaction(): boolean {
    return this.pipelineIsOpen || super.isInTransaction();
  }

  override execProtocolRawStream(...[message, options]: Parameters<PGlite['execProtocolRawStream']>): Promise<void> {
    this.pipelineIsOpen = PIPELINE_MESSAGES.has(message[0]);
    return super.execProtocolRawStream(message, options);
  }
}

/** Parse, Bind, Describe, Execute, Close, Flush. */
const PIPELINE_MESSAGES = new Set<number | undefined>(Buffer.from('PBDECH'));
