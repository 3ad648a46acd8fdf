import type { MissingSecretsPolicy } from './config/development-secrets.js';
import { type Environment, readEnvironment } from './config/environment.js';
import { readRouteTable } from './gateway/route-table-file.js';

/**
 * Reads the configuration from environment variables. Outside production, secrets that are missing are generated once and
 * kept in `DATA_DIR`.
 *
 * @param missing what happens to missing secrets otherwise
 * @throws ConfigurationError listing every problem
 */
export function loadEnvironment(source: NodeJS.ProcessEnv, missing: MissingSecretsPolicy = 'create'): Environment {
  return readEnvironment(source, readRouteTable, missing);
}
