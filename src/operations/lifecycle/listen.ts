import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Environment } from '../../config/environment.js';
import { StartError } from '../../config/start-error.js';

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another process is listening there',
  EACCES: 'this user may not listen there; ports below 1024 require root',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'unknown host',
};

/** Starts listening and returns the URL. @throws StartError with the address and the reason */
export async function listen(app: NestFastifyApplication, { host, port }: Environment): Promise<string> {
  try {
    // Not through the framework, which would also log the failure
    return await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StartError(`HOST, PORT (${host}:${port}): ${REASONS[code] ?? message} (${code})`, { cause: error });
  }
}
