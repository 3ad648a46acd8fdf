import { ApiKeysService } from '../../api-keys/api-keys.service.js';
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

/** The service as a process: it listens until it is told to end. */
export function serve(environment: Environment): Promise<void> {
  return withDatabaseErrors(environment.database, async () => {
    const logger = createLogger(environment);
    const app = await createApp(environment);
    enableGracefulShutdown(app, logger);
    // Only now: what fails while it starts is for the operator, and ends it
    surviveUnhandledErrors(logger);
    await app.get(SessionKeys, { strict: false }).prepare();
    const url = await listen(app, environment);
    logger.log(`W3IPFS API keys at ${url} (version ${VERSION}), its documentation at ${url}/docs`, 'Service');
    await printFirstRunGuide(environment, app.get(ApiKeysService, { strict: false }), url);
  });
}
