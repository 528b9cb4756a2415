const path = require('node:path');

/** The root folder of the project. */
const ROOT = path.resolve(__dirname, '../..');

module.exports = { ROOT };
