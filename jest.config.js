/** Tests that do not depend on the database run once, on the embedded one: starting services is half of their cost. */
const INDEPENDENT_OF_DATABASE = [
  'captured-requests',
  'client',
  'client-address',
  'connection-limit',
  'cors',
  'deploy',
  'documented-gateways',
  'early-refusals',
  'examples',
  'fast-path',
  'gateway-files',
  'gateway-paths',
  'hostile-bodies',
  'http',
  'key-set',
  'matrix',
  'memory',
  'openapi',
  'openapi-answers',
  'openapi-document',
  'packages',
  'path-case',
  'pipelining',
  'request-targets',
  'security-table',
  'sessions',
  'sidecar',
  'sidecar-answers',
  'slow-clients',
  'tracing',
  'unfinished-bodies',
  'validation',
];
const skipped = process.env.TEST_DATABASE_URL ? INDEPENDENT_OF_DATABASE : [];
if (skipped.length > 0)
  process.stdout.write(`Skipped on a server: ${skipped.join(', ')}, which do not depend on the database\n`);

/** Jest on native ES modules, compiled by swc as the build is. */
export default {
  testMatch: ['<rootDir>/{src,packages/*/src}/**/*.spec.ts', '<rootDir>/test/**/*.e2e-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...skipped.map((name) => `/test/${name}\\.e2e-spec`)],
  transform: { '^.+\\.ts$': '@swc/jest' },
  // A separate package, whose dependencies share names with ours
  modulePathIgnorePatterns: ['<rootDir>/test/generators/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@w3ipfs/api-keys-client$': '<rootDir>/packages/client/src/index.ts',
    '^@w3ipfs/api-keys-guard$': '<rootDir>/packages/guard/src/index.ts',
    '^@w3ipfs/api-keys-guard/(.+)$': '<rootDir>/packages/guard/src/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  setupFiles: ['reflect-metadata'],
  testSequencer: './test/support/sequencer.js',
  globalSetup: './test/support/global-setup.js',
  globalTeardown: './test/support/global-teardown.js',
  // Tests wait for processes and databases more than they compute: on two cores, two workers do not slow each other down
  maxWorkers: 2,
  // Modules of earlier files are never freed: beyond this, each collection of garbage would cost more than the tests
  workerIdleMemoryLimit: '700MB',
  // The default, half a second, is too little for a busy machine
  workerGracefulExitTimeout: 20_000,
  // No test may depend on the machine's speed; this stops those that hang
  testTimeout: 180_000,
};
