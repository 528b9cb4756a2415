/** Installs and builds what the proof runs, if that has not been done. */
import { prepareExample } from '../../examples/prepareExample.mjs';

prepareExample('.', 'dist/server.js');
prepareExample('client', 'dist/esm/index.js');
prepareExample('examples/orders-service', 'dist/server.js');
prepareExample('examples/spa');
prepareExample('proofs/browsers');
