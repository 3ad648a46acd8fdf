import type { NestFastifyApplication } from '@nestjs/platform-fastify';

const dist = new URL('../../dist/', import.meta.url).href;

/** The built service in this process, configured by the environment: the production code, without HTTP. */
export async function builtApp(): Promise<NestFastifyApplication> {
  const { createApp } = (await import(`${dist}app.js`)) as typeof import('../../src/app.js');
  const { loadEnvironment } = (await import(`${dist}configuration.js`)) as typeof import('../../src/configuration.js');
  return createApp(loadEnvironment(process.env));
}

/** The `Verifier` of the build, and its class. */
export async function builtVerifier(app: NestFastifyApplication) {
  const { Verifier } = (await import(
    `${dist}verification/verifier.js`
  )) as typeof import('../../src/verification/verifier.js');
  return app.get(Verifier, { strict: false });
}

/** The service that counts verdicts. */
export async function builtStatistics(app: NestFastifyApplication) {
  const { UsageStatistics } = (await import(
    `${dist}usage/usage-statistics.js`
  )) as typeof import('../../src/usage/usage-statistics.js');
  return app.get(UsageStatistics, { strict: false });
}
