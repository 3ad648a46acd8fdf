import { createApp } from './app.setup.js';
import { type Environment, loadEnvironment } from './config/environment.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { welcomeOnce } from './operations/first-start.js';
import { exitOnSignal, exitWith } from './operations/exit.js';
import { createLogger } from './operations/logger.js';

async function start(environment: Environment): Promise<void> {
  const logger = createLogger(environment);
  const app = await createApp(environment);
  exitOnSignal(app);
  await app.listen(environment.port, environment.host);
  const url = await app.getUrl();
  logger.log(`W3IPFS API keys at ${url}, its documentation at ${url}/docs`, 'Service');
  await welcomeOnce(environment, app.get(ApiKeysService, { strict: false }), url);
}

try {
  await start(loadEnvironment(process.env));
} catch (error) {
  exitWith(error);
}
