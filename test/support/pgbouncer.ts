import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folders.js';
import { freePort } from './free-port.js';
import { executableOf, startGateway } from './gateway-process.js';

/** The path of the PgBouncer that its tests run; without it they are skipped. */
export const PGBOUNCER_VARIABLE = 'TEST_PGBOUNCER';

/** A PgBouncer of a test's own, in transaction pooling mode. */
export interface PgBouncer {
  /** The same database, through it. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

/** @param settings lines of its `[pgbouncer]` section */
export async function startPgBouncer(serverUrl: string, settings: readonly string[] = []): Promise<PgBouncer> {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const port = await freePort();
  const server = new URL(serverUrl);
  const file = join(folder, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `* = host=${server.hostname} port=${server.port || 5432} user=${server.username}${server.password && ` password=${server.password}`}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =`,
    'auth_type = any\npool_mode = transaction\nmax_client_conn = 1000',
    ...settings,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  chmodSync(file, 0o644);
  const gateway = await startGateway({
    executable: executableOf(PGBOUNCER_VARIABLE, 'pgbouncer'),
    args: [file],
    folder,
    port,
  });
  const through = (databaseUrl: string) => {
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
  return { through, stop: () => gateway.stop() };
}
