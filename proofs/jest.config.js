const config = require('../jest.config');

/** The specs that take minutes: `npm run proof:faults`, `npm run proof:scripts`. */
module.exports = {
  ...config,
  rootDir: '..',
  roots: ['<rootDir>/tests/faults', '<rootDir>/tests/scripts'],
  testPathIgnorePatterns: [],
  collectCoverage: false,
};
