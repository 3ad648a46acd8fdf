import { chmodSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { dataDir as freshCluster } from '@electric-sql/pglite-prepopulatedfs';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { restrictToOwner, secureDataDir } from '../config/data-dir.js';
import { DataDirError, StartError } from '../config/start-error.js';
import { clusterIn, hasDatabase } from './embedded-folder.js';
import { fileProblem } from './file-problem.js';
import { lockFile } from './folder-lock.js';

/** The port is but the name of the socket file here: pg looks for `.s.PGSQL.<port>` in the folder. */
const SOCKET_FILE = '.s.PGSQL.5432';
/** What the kernel takes for the path of a unix socket: 108 bytes on Linux, 104 on macOS, with the zero. */
const MAX_SOCKET_PATH = 103;
const MAX_CONNECTIONS = 50;

/**
 * PostgreSQL in this process (PGlite), served on a unix socket inside the data folder,
 * so that the ordinary driver talks to it, and to a server, in the same way.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly releaseLock: () => void,
    /** Whether it was made just now, and has nothing in it. */
    readonly isNew: boolean,
  ) {}

  /**
   * Starts the database in the folder.
   *
   * @param mayCreate whether to make both where they are missing
   * @returns `undefined` if another process has it open: its socket serves this one too
   * @throws DataDirError if there is none to be used: it is missing and may not be made, is not whole, or does not start;
   *   the folder's path is too long for a socket; or it cannot be kept from other users
   */
  static async start(dataDir: string, mayCreate: boolean): Promise<EmbeddedPostgres | undefined> {
    const socket = join(dataDir, SOCKET_FILE);
    if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
      throw new DataDirError(`DATA_DIR: ${dataDir} is too long for the socket inside it; choose a shorter path`);
    }
    if (!mayCreate && !hasDatabase(dataDir)) throw new DataDirError(noDatabaseMessage(dataDir));
    secureDataDir(dataDir);
    const releaseLock = lockFile(join(dataDir, 'lock'));
    if (!releaseLock) return undefined;
    // Whoever holds the lock is alone: a socket that is there was left by a process that was killed
    rmSync(socket, { force: true });
    const cluster = clusterIn(dataDir);
    const isNew = !hasDatabase(dataDir);
    if (isNew) await createCluster(cluster);
    const database = await startCluster(cluster);
    const server = new PGLiteSocketServer({ db: database, path: socket, maxConnections: MAX_CONNECTIONS });
    await server.start();
    // What it unpacks and makes at its start has modes of its own, whatever the umask is
    restrictToOwner(cluster);
    // Whoever can connect is the database's superuser
    chmodSync(socket, 0o600);
    return new EmbeddedPostgres(database, server, releaseLock, isNew);
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await this.database.close();
    this.releaseLock();
  }
}

function noDatabaseMessage(dataDir: string): string {
  return (
    `DATA_DIR: there is no database in ${dataDir}, and this command makes none; ` +
    `set DATABASE_URL or DATA_DIR to what the service uses, or start the service first`
  );
}

/** What is wrong with its files, PGlite does not say. @throws DataDirError */
async function startCluster(cluster: string): Promise<PGlite> {
  const database = new PipelineAwarePGlite(cluster);
  try {
    await database.waitReady;
    return database;
  } catch (cause) {
    throwFileProblem(cluster, cause);
    const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
    throw new DataDirError(
      `DATA_DIR: the database in ${cluster} does not start (PG_VERSION ${version}): its files are damaged, incomplete or of ` +
        'another PostgreSQL than the one of this version. Restore the folder as a whole, or start on a new one',
      { cause },
    );
  }
}

/** @throws StartError if its files are why the database does not start */
function throwFileProblem(cluster: string, cause: unknown): void {
  const problem = fileProblem(cause);
  if (problem !== undefined) throw new StartError(`DATA_DIR: the database in ${cluster} does not start: ${problem}`);
}

/**
 * Unpacks what `initdb` would make, in a fraction of its time, beside the place where it is to be:
 * a start that is killed here leaves nothing that a later one would take for a database.
 */
async function createCluster(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  try {
    const database = await PGlite.create(unfinished, { loadDataDir: await freshCluster() });
    await database.close();
  } catch (error) {
    throwFileProblem(folder, error);
    throw error;
  }
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
