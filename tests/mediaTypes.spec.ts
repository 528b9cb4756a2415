import { aUser, clientOf } from './support/client';
import { expectProblem } from './support/problem';
import { startService, type TestService } from './support/service';

describe('the media type of a body', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  const registered = (type: string) =>
    clientOf(service)
      .raw('post', '/auth/register', JSON.stringify(aUser({ firstName: 'Zoë' })))
      .set('Content-Type', type);

  describe('when it means JSON in UTF-8', () => {
    it.each([
      'application/json',
      'Application/JSON',
      'application/json;charset=utf8',
      'application/json; charset=UTF-8',
      'application/json; charset="utf-8"',
      'application/json; charset="UTF-8"',
      'application/json; charset="ut\\f-8"',
      'application/json ; charset=utf-8',
      'application/json;\tCharset=Utf-8',
      'application/json;',
      'application/json; ; charset=utf-8;',
      'application/json; charset=utf-8; profile="a;b=\\"c\\""',
      'application/json; profile="; charset=latin1"; charset=utf-8',
      'application/json; version=1',
    ])('reads %s', async (type) => {
      expect((await registered(type)).status).toBe(201);
    });
  });

  describe('when it means something else', () => {
    it.each([
      'application/json; charset=utf-16',
      'application/json; charset="iso-8859-1"',
      'application/json; charset=',
      'application/json; charset=utf-16; charset=utf-8',
      'application/problem+json',
      'application/json-seq',
      'application/json/x',
      'application /json',
      'json',
      '"application/json"',
      'text/plain; a=application/json',
      'text/plain, application/json',
    ])('responds with 415 to %s', async (type) => {
      expectProblem(await registered(type), 415);
    });
  });
});
