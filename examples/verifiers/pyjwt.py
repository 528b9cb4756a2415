"""Verifies access tokens with PyJWT: one token a line on stdin, "ok SUBJECT" or "refused WHY" out.

usage: pyjwt.py ISSUER AUDIENCE JWKS_URI
"""

import sys

import jwt

issuer, audience, jwks_uri = sys.argv[1:]
keys = jwt.PyJWKClient(jwks_uri)  # keeps the key set for five minutes


def subject_of(token):
    if jwt.get_unverified_header(token).get("typ") != "at+jwt":
        raise jwt.InvalidTokenError("not an access token")
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        issuer=issuer,
        audience=audience,
        leeway=5,  # seconds that the clocks may differ
        options={"require": ["exp", "iss", "aud", "sub"]},
    )
    return claims["sub"]


for line in sys.stdin:
    try:
        print("ok", subject_of(line.strip()), flush=True)
    except jwt.PyJWTError as error:
        print("refused", type(error).__name__, error, flush=True)
