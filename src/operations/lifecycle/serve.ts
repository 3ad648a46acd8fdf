import { KeyIssuer } from '../../api-keys/issuing/key-issuer.js';
import { createApp } from '../../app.js';
import { SessionKeys } from '../../authentication/strategies/session-keys.js';
import type { Environment } from '../../config/environment.js';
import { VERSION } from '../../config/version.js';
import { printFirstRunGuide } from './first-run-guide.js';
import { createLogger } from '../../logging/logger.js';
import { withDatabaseErrors } from './database-failure.js';
import { listen } from './listen.js';
import { enableGracefulShutdown } from './shutdown.js';
import { surviveUnhandledErrors } from './unhandled.js';

/** Runs the service as a process, until a signal shuts it down. */
export function serve(environment: Environment): Promise<void> {
  return withDatabaseErrors(environment.database, async () => {
    const logger = createLogger(environment);
    const app = await createApp(environment);
    enableGracefulShutdown(app, logger);
    // Not earlier: errors during the start must end the process
    surviveUnhandledErrors(logger);
    await app.get(SessionKeys, { strict: false }).prepare();
    const url = await listen(app, environment);
    logger.log(`W3IPFS API keys at ${url} (version ${VERSION}), documentation at ${url}/docs`, 'Service');
    await printFirstRunGuide(environment, app.get(KeyIssuer, { strict: false }), url);
  });
}
