import { readEnvFile } from './config/env-file.js';
import { loadEnvironment } from './configuration.js';
import { misspeltVariables } from './config/misspelt-variables.js';
import { withStartDeadline } from './config/start-steps.js';
import { VARIABLE_NAMES } from './config/variables.js';
import { exitWith } from './operations/lifecycle/exit.js';
import { ignoreOutputErrors, writeLogLine } from './logging/standard-streams.js';

// Files in DATA_DIR, including those of the embedded database, are for this user only
process.umask(0o077);
ignoreOutputErrors();

try {
  readEnvFile();
  for (const message of misspeltVariables(process.env, VARIABLE_NAMES))
    writeLogLine({ level: 'warn', context: 'Configuration', message });
  const environment = loadEnvironment(process.env);
  // Loaded late, since it takes a second: configuration errors are reported at once
  const { serve } = await import('./operations/lifecycle/serve.js');
  await withStartDeadline(serve(environment));
} catch (error) {
  exitWith(error);
}
