/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // The exit handlers of signal-exit belong to the process and outlive a test file.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  roots: ['<rootDir>/tests'],
  testMatch: ['**/*.spec.ts'],
  // They take minutes: `npm run proof:faults`, `proof:metrics`, `proof:scripts`.
  testPathIgnorePatterns: ['faults', 'metrics', 'scripts'].map(
    (name) => `<rootDir>/tests/${name}/`,
  ),
  transform: { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] },
  // client/ is compiled to ES modules, whose imports end with .js.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  globalSetup: '<rootDir>/tests/support/globalSetup.ts',
  globalTeardown: '<rootDir>/tests/support/globalTeardown.ts',
  // Ten times what the slowest test takes: other programs may keep the machine busy.
  testTimeout: 60_000,
  // Many specs wait for processes: a worker for each core is faster than Jest's default of one less.
  maxWorkers: '100%',
  // .ci/run and `--coverage` report it; the threshold is for a run of everything.
  collectCoverage: process.env.CI === 'true',
  // These run as processes of their own, where Jest cannot count lines.
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/server.ts',
    '!src/cluster.ts',
    '!src/commands/**',
    'client/src/*.ts',
  ],
  coverageThreshold: { global: { lines: 95 } },
  coverageReporters: ['text-summary', 'lcov'],
  watchPathIgnorePatterns: ['<rootDir>/.data', '<rootDir>/dist', '<rootDir>/coverage'],
};
