/** Jest on native ES modules, compiled by swc as the build is. */
export default {
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.e2e-spec.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata'],
  globalSetup: './test/support/global-setup.js',
  globalTeardown: './test/support/global-teardown.js',
  // They wait for processes and databases more than they work: on two cores, two of them are no slower each
  maxWorkers: 2,
  // No test is to depend on how fast the machine is; this ends those that would never end
  testTimeout: 180_000,
};
