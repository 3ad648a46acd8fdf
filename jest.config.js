/** What knows of no database is tried once, on the embedded one: its processes are half of what these tests cost. */
const WITHOUT_DATABASE = [
  'client-address',
  'gateway-files',
  'gateway-paths',
  'http',
  'key-set',
  'openapi',
  'openapi-answers',
  'openapi-document',
  'request-targets',
  'sessions',
  'slow-clients',
  'tracing',
  'validation',
];
const leftOut = process.env.TEST_DATABASE_URL ? WITHOUT_DATABASE : [];
if (leftOut.length > 0)
  process.stdout.write(`Left out on a server: ${leftOut.join(', ')}, which know of no database\n`);

/** Jest on native ES modules, compiled by swc as the build is. */
export default {
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.e2e-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...leftOut.map((name) => `/test/${name}\\.e2e-spec`)],
  transform: { '^.+\\.ts$': '@swc/jest' },
  // A package of its own, whose dependencies have names of ours
  modulePathIgnorePatterns: ['<rootDir>/test/generators/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata'],
  globalSetup: './test/support/global-setup.js',
  globalTeardown: './test/support/global-teardown.js',
  // They wait for processes and databases more than they work: on two cores, two of them are no slower each
  maxWorkers: 2,
  // Modules of earlier files are never freed: beyond this, each collection of garbage would cost more than the tests
  workerIdleMemoryLimit: '700MB',
  // The default, half a second, is too little for a busy machine
  workerGracefulExitTimeout: 20_000,
  // No test is to depend on how fast the machine is; this ends those that would never end
  testTimeout: 180_000,
};
