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

/** The name that pg derives from the port: `.s.PGSQL.<port>` in the folder. */
const SOCKET_FILE = '.s.PGSQL.5432';
/** The limit of kernels for the path of a unix socket: 108 bytes on Linux, 104 on macOS, with the terminator. */
const MAX_SOCKET_PATH = 103;
const MAX_CONNECTIONS = 50;

/**
 * PostgreSQL inside this process (PGlite), served on a unix socket in the data folder, so that the same driver works for
 * it and for a server.
 */
export class EmbeddedPostgres {
  private constructor(
    private readonly database: PGlite,
    private readonly server: PGLiteSocketServer,
    private readonly releaseLock: () => void,
    /** Whether it was just created, and is empty. */
    readonly isNew: boolean,
  ) {}

  /**
   * Starts the database in the folder.
   *
   * @param mayCreate whether to create a missing folder and database
   * @returns `undefined` if another process has it open, whose socket serves this process too
   * @throws DataDirError if the database is missing and may not be created, is incomplete or does not start; if the
   *   folder's path is too long for a socket; or if the folder cannot be restricted to this user
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
    // With the lock acquired, an existing socket is the leftover of a killed process
    rmSync(socket, { force: true });
    const cluster = clusterIn(dataDir);
    const isNew = !hasDatabase(dataDir);
    if (isNew) await createCluster(cluster);
    const database = await startCluster(cluster);
    const server = new PGLiteSocketServer({ db: database, path: socket, maxConnections: MAX_CONNECTIONS });
    await server.start();
    // PGlite sets modes of its own, whatever the umask
    restrictToOwner(cluster);
    // Every connection is the database's superuser
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
    `DATA_DIR: there is no database in ${dataDir}, and this command does not create one; ` +
    `set DATABASE_URL or DATA_DIR to those of the service, or start the service first`
  );
}

/** PGlite does not say what is wrong with its files. @throws DataDirError */
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
        'another version of PostgreSQL. Restore the whole folder, or choose a new one',
      { cause },
    );
  }
}

/** @throws StartError if the error is one of the database's files */
function throwFileProblem(cluster: string, cause: unknown): void {
  const problem = fileProblem(cause);
  if (problem !== undefined) throw new StartError(`DATA_DIR: the database in ${cluster} does not start: ${problem}`);
}

/**
 * Unpacks a prepared cluster, which is faster than `initdb`, beside its final place: a start that is killed meanwhile
 * leaves nothing that a later one would take for a database.
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
 * PGlite that treats a pipeline as a transaction until its Sync (PostgreSQL's protocol, "Extended Query").
 *
 * The socket server interleaves the messages of its clients except within a transaction. But a parameterised query
 * outside a transaction is a pipeline of messages too (Parse, Bind, Describe, Execute, Sync), and another client's Parse
 * in between would replace the statement that is about to be bound.
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
