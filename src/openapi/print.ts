import { writeSync } from 'node:fs';
import { documentApp } from '../app.setup.js';

/** Prints the OpenAPI document: what `npm run openapi` writes to the repository. */
writeSync(1, `${JSON.stringify(await documentApp(), null, 2)}\n`);
