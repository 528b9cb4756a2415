const { generate } = require('selfsigned');

/** @type {import('selfsigned').SelfsignedOptions} */
const COMMON = { keyType: 'ec', algorithm: 'sha256' };

/** @param {string} value */
const commonName = (value) => [{ name: 'commonName', value }];

/**
 * A certificate authority of its own, with all in PEM.
 *
 * @param {string} name
 */
async function certificateAuthority(name) {
  const root = await generate(commonName(`authority ${name}`), {
    ...COMMON,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    certificate: root.cert,
    /**
     * Issues a certificate for a server or a client.
     *
     * @param {string} subject the common name, for a server its host
     */
    async issue(subject) {
      const { cert, private: key } = await generate(commonName(subject), {
        ...COMMON,
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          { name: 'subjectAltName', altNames: [{ type: 2, value: subject }] },
        ],
        ca: { cert: root.cert, key: root.private },
      });
      return { certificate: cert, key };
    },
  };
}

module.exports = { certificateAuthority };
