import { writeSync } from 'node:fs';
import { documentApp } from './app.js';

/** Prints the OpenAPI document, which `npm run openapi` writes to the repository. */
writeSync(1, `${JSON.stringify(await documentApp(), null, 2)}\n`);
