import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Environment } from '../../config/environment.js';
import { StartError } from '../../config/start-error.js';

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'this user may not listen there; ports below 1024 are for root',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'there is no such host',
};

/** Begins to listen, and tells at which URL. @throws StartError that names the address, and says why it cannot be had */
export async function listen(app: NestFastifyApplication, { host, port }: Environment): Promise<string> {
  try {
    // Not by the framework, which would log the failure too, in its own words
    return await app.getHttpAdapter().getInstance().listen({ port, host });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StartError(`HOST, PORT (${host}:${port}): ${REASONS[code] ?? message} (${code})`, { cause: error });
  }
}
