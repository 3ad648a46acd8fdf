import { readEnvFile } from './config/env-file.js';
import { loadEnvironment } from './config/environment.js';
import { withinStartTime } from './config/start-steps.js';
import { exitWith } from './operations/exit.js';
import { outliveReaders } from './operations/standard-streams.js';

// What is made in DATA_DIR, by the embedded database too, is for this user alone
process.umask(0o077);
outliveReaders();

try {
  readEnvFile();
  const environment = loadEnvironment(process.env);
  // Loaded only now, since it takes a second: what is wrong with the configuration is told at once
  const { serve } = await import('./operations/serve.js');
  await withinStartTime(serve(environment));
} catch (error) {
  exitWith(error);
}
