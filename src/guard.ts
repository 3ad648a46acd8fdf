// The sidecar's process: the guard behind HTTP (`sidecar/`). Nest's guards are in `authentication/guards/`.
import { readEnvFile } from './config/env-file.js';
import { misspeltVariables } from './config/misspelt-variables.js';
import { StartError } from './config/start-error.js';
import { ignoreOutputErrors, writeLogLine } from './logging/standard-streams.js';
import { serveSidecar } from './sidecar/serve.js';
import { readSidecarSettings, SIDECAR_VARIABLES } from './sidecar/settings.js';

// A Unix socket is for this user only, from the moment it exists
process.umask(0o077);
ignoreOutputErrors();

try {
  readEnvFile();
  for (const message of misspeltVariables(process.env, SIDECAR_VARIABLES))
    writeLogLine({ level: 'warn', context: 'Configuration', message });
  await serveSidecar(readSidecarSettings(process.env));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  writeLogLine({ level: 'error', context: 'Process', message: error.message });
  process.exit(error.exitCode);
}
