import { violationsOf, type Exchange } from '../support/violations';

const headers = {
  'x-request-id': 'e4655fc9-0a24-4cbd-9c5d-952d54f21e0c',
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
  'set-cookie': ['access_token=a; Path=/; HttpOnly; SameSite=Strict'],
};

const login: Exchange = {
  method: 'POST',
  url: '/api/auth/login?x=y',
  status: 200,
  headers,
  body: '{"message":"User logged in successfully","userId":1}',
};

const head: Exchange = {
  method: 'HEAD',
  url: '/health/live',
  status: 200,
  headers: { ...headers, 'set-cookie': undefined },
  body: '',
};

const notFound: Exchange = {
  method: 'GET',
  url: '/auth/unknown',
  status: 404,
  headers: {
    'x-request-id': 'e4655fc9-0a24-4cbd-9c5d-952d54f21e0c',
    'content-type': 'application/problem+json',
  },
  body: JSON.stringify({
    type: 'urn:auth-service:problem:not-found',
    title: 'Not Found',
    status: 404,
    detail: 'There is nothing at this address',
    instance: 'e4655fc9-0a24-4cbd-9c5d-952d54f21e0c',
    errors: [{ type: 'not-found', code: 'not-found', msg: 'Nothing', path: '', location: '' }],
  }),
};

describe('a response in a test', () => {
  it.each([
    ['of a route', login],
    ['of a path without a route', notFound],
    ['to HEAD', head],
  ])('passes as it is described: %s', (_what, exchange) => {
    expect(violationsOf(exchange)).toEqual([]);
  });

  it.each<[what: string, changes: Partial<Exchange>, violation: RegExp]>([
    ['with another status', { status: 202 }, /media type/],
    ['with another media type', { headers: { ...headers, 'content-type': 'text/html' } }, /media/],
    ['without a body', { body: '' }, /not JSON/],
    ['without a property', { body: '{"message":"x"}' }, /userId/],
    ['with a property of another type', { body: '{"message":"x","userId":"1"}' }, /integer/],
    ['with a further property', { body: '{"message":"x","userId":1,"token":"x"}' }, /additional/],
    ['without a header', { headers: { ...headers, 'x-request-id': undefined } }, /X-Request-Id/],
    ['with another header', { headers: { ...headers, 'cache-control': 'public' } }, /Cache-Contr/],
    ['with a further header', { headers: { ...headers, etag: '"x"' } }, /etag/],
    ['with a cookie of another form', { headers: { ...headers, 'set-cookie': ['a=b'] } }, /Set-C/],
    ['of a route that is not described', { url: '/auth/token' }, /media type/],
    ['to a method that is not described', { method: 'PUT' }, /media type/],
  ])('fails the test %s', (_what, changes, violation) => {
    expect(violationsOf({ ...login, ...changes }).join('\n')).toMatch(violation);
  });

  it('fails the test with a problem that is not described there', () => {
    const body = notFound.body.replaceAll('not-found', 'email-taken');
    expect(violationsOf({ ...notFound, body }).join('\n')).toMatch(/\/type must be equal/);
  });

  it('fails the test with another status in the body', () => {
    expect(violationsOf({ ...notFound, status: 405 }).join('\n')).toMatch(/another one/);
  });
});
