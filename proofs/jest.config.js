const config = require('../jest.config');

/** The specs that start a process for each test: `npm run proof:faults`, `proof:metrics`, `proof:scripts`. */
module.exports = {
  ...config,
  rootDir: '..',
  roots: ['<rootDir>/tests/faults', '<rootDir>/tests/metrics', '<rootDir>/tests/scripts'],
  testPathIgnorePatterns: [],
  collectCoverage: false,
};
