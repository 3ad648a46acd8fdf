import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const dist = new URL('../../dist/', import.meta.url).href;

/** The built service in this process, configured by its environment: what production runs, without HTTP. */
export async function builtApp(): Promise<NestFastifyApplication> {
  const { createApp } = (await import(`${dist}app.js`)) as typeof import('../../src/app.js');
  const { loadEnvironment } = (await import(`${dist}configuration.js`)) as typeof import('../../src/configuration.js');
  return createApp(loadEnvironment(process.env));
}

/** The service's own `Verifier`, class and all, from the build. */
export async function builtVerifier(app: NestFastifyApplication) {
  const { Verifier } = (await import(
    `${dist}verification/verifier.js`
  )) as typeof import('../../src/verification/verifier.js');
  return app.get(Verifier, { strict: false });
}

/** What it counts verdicts by. */
export async function builtStatistics(app: NestFastifyApplication) {
  const { UsageStatistics } = (await import(
    `${dist}usage/usage-statistics.js`
  )) as typeof import('../../src/usage/usage-statistics.js');
  return app.get(UsageStatistics, { strict: false });
}
