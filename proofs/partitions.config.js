const config = require('../jest.config');

// The template of the databases has its sessions in so many partitions.
process.env.TEST_PARTITIONS = '8';

/** The specs of sessions on the partitioned table: `npm run proof:partitions`. */
module.exports = {
  ...config,
  rootDir: '..',
  roots: ['<rootDir>/tests/auth', '<rootDir>/tests/sessions'],
  collectCoverage: false,
};
