import { VERSION } from '../config/version.js';
import { SidecarLog } from './log.js';
import type { SidecarSettings } from './settings.js';
import { Sidecar } from './sidecar.js';

/** Longer than `Sidecar.stop()` takes. */
const STOP_TIMEOUT_MS = 9_500;

/** Runs the sidecar as a process, until a signal stops it. @throws StartError */
export async function serveSidecar(settings: SidecarSettings): Promise<void> {
  const log = new SidecarLog(settings.logLevel);
  const sidecar = new Sidecar(settings, log);
  const address = await sidecar.listen();
  stopOnSignal(sidecar, log);
  log.write('info', `W3IPFS API-key guard at ${address} (version ${VERSION}), asking ${settings.service.url}`);
}

/** A second signal exits at once. */
function stopOnSignal(sidecar: Sidecar, log: SidecarLog): void {
  let isStopping = false;
  const abort = (why: string): never => {
    log.write('error', `${why}: the last reports may be lost.`);
    process.exit(1);
  };
  const stop = async (signal: string): Promise<void> => {
    log.write('info', `${signal}: stopping.`);
    const cutOff = await sidecar.stop();
    log.write('info', cutOff > 0 ? `Stopped; requests without an answer: ${cutOff}.` : 'Stopped.');
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (isStopping) abort(`${signal} again, exiting at once`);
      isStopping = true;
      setTimeout(() => abort('Stopping timed out'), STOP_TIMEOUT_MS);
      stop(signal).catch((error: unknown) => abort(String(error)));
    });
  }
}
