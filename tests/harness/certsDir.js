const { generateKeyPairSync } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { tempFolder } = require('./tempFolder');

/** A new folder with a new key pair. */
function certsDir() {
  const dir = tempFolder('certs');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  fs.writeFileSync(path.join(dir, 'private.pem'), privateKey, { mode: 0o600 });
  fs.writeFileSync(path.join(dir, 'public.pem'), publicKey);
  return dir;
}

module.exports = { certsDir };
