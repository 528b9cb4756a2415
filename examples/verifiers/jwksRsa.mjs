import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';

/** jsonwebtoken with the keys of jwks-rsa, which keeps each for ten minutes. */
export function verifyWithJwksRsa({ issuer, audience, jwksUri }) {
  const client = jwksRsa({ jwksUri, cache: true, rateLimit: true });
  const keyOf = ({ kid }, done) => {
    client.getSigningKey(kid).then(
      (key) => done(null, key.getPublicKey()),
      (error) => done(error),
    );
  };
  return (token) =>
    new Promise((resolve, reject) => {
      const options = { issuer, audience, algorithms: ['RS256'], complete: true };
      jwt.verify(token, keyOf, options, (error, verified) => {
        if (error) reject(error);
        // jsonwebtoken does not look at the type; RFC 9068 section 4 wants it looked at.
        else if (verified.header.typ !== 'at+jwt') reject(new Error('not an access token'));
        else resolve(verified.payload.sub);
      });
    });
}
