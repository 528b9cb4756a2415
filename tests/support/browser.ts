import type { Express } from 'express';
import request, { type Response } from 'supertest';
import { CookieJar, PrefixSecurityEnum } from 'tough-cookie';
import { aUser, type NewUser } from './client';

export const HOST = 'auth.example.com';

/** A browser with a cookie jar; the service is `https://auth.example.com`. */
export class Browser {
  private readonly jar = new CookieJar(undefined, { prefixSecurity: PrefixSecurityEnum.STRICT });

  /** `app` is the service that currently runs. */
  constructor(public app: Express) {}

  async send(method: 'get' | 'post' | 'delete', path: string, body?: object): Promise<Response> {
    const url = `https://${HOST}${path}`;
    const res = await request(this.app)
      [method](path)
      .set('Host', HOST)
      .set('Cookie', this.jar.getCookieStringSync(url))
      .send(body);
    const headers = (res.headers['set-cookie'] ?? []) as unknown as string[];
    for (const header of headers) this.jar.setCookieSync(header, url, { ignoreError: true });
    return res;
  }

  register(user: NewUser = aUser()): Promise<Response> {
    return this.send('post', '/auth/register', user);
  }

  login({ email, password }: NewUser): Promise<Response> {
    return this.send('post', '/auth/login', { email, password });
  }

  self(): Promise<Response> {
    return this.send('get', '/auth/self');
  }

  refresh(): Promise<Response> {
    return this.send('post', '/auth/refresh');
  }

  logout(): Promise<Response> {
    return this.send('post', '/auth/logout');
  }

  /** Stores a `Set-Cookie` of any page of example.com, unless a browser would refuse it. */
  plant(cookie: string, from = `https://sibling.example.com/`): void {
    this.jar.setCookieSync(cookie, from, { ignoreError: true });
  }

  valueOf(name: string): string {
    const cookies = this.jar.getCookiesSync(`https://${HOST}/auth/refresh`);
    return cookies.find(({ key }) => key === name)?.value ?? '';
  }

  /** Name, domain and path of every unexpired cookie. */
  kept(): string[] {
    const { cookies } = this.jar.serializeSync() ?? { cookies: [] };
    return cookies
      .filter(({ expires }) => Date.parse(String(expires)) > Date.now())
      .map(({ key, domain, path, hostOnly }) =>
        [key, hostOnly === true ? '' : domain, path].map(String).join(' '),
      )
      .sort();
  }
}
