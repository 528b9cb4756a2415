const config = require('../jest.config');

/** The specs that start many processes and wait for their failures: `npm run proof:faults`. */
module.exports = {
  ...config,
  rootDir: '..',
  roots: ['<rootDir>/tests/faults'],
  testPathIgnorePatterns: [],
  collectCoverage: false,
};
