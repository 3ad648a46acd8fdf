import { readEnvFile } from './config/env-file.js';
import { loadEnvironment } from './configuration.js';
import { misspeltVariables } from './config/misspelt-variables.js';
import { withStartDeadline } from './config/start-steps.js';
import { VARIABLE_NAMES } from './config/variables.js';
import { exitWith } from './operations/lifecycle/exit.js';
import { ignoreOutputErrors, writeLogLine } from './logging/standard-streams.js';

// What is made in DATA_DIR, by the embedded database too, is for this user alone
process.umask(0o077);
ignoreOutputErrors();

try {
  readEnvFile();
  for (const message of misspeltVariables(process.env, VARIABLE_NAMES))
    writeLogLine({ level: 'warn', context: 'Configuration', message });
  const environment = loadEnvironment(process.env);
  // Loaded only now, since it takes a second: what is wrong with the configuration is told at once
  const { serve } = await import('./operations/lifecycle/serve.js');
  await withStartDeadline(serve(environment));
} catch (error) {
  exitWith(error);
}
