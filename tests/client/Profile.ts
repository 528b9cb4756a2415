import { CookieJar } from 'tough-cookie';
import { createAuthClient, type AuthClient, type AuthClientOptions } from '../../client/src/index';
import { ALLOWED_ORIGIN } from '../support/service';

type Pass = () => Promise<Response>;

/** A profile of a browser: the cookies that its tabs share, and a network that can fail. */
export class Profile {
  readonly jar = new CookieJar();
  /** What has left the browser, such as `GET /auth/self`. */
  requests: string[] = [];
  /** What happens to a request on its way. */
  network: (request: Request, pass: Pass) => Promise<Response> = (_request, pass) => pass();

  constructor(readonly baseUrl: string) {}

  /** `fetch` as pages of the app have it. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { url } = request;
    const sendsCookies = request.credentials === 'include';
    this.requests.push(`${request.method} ${new URL(url).pathname}`);
    request.headers.set('Origin', ALLOWED_ORIGIN);
    if (sendsCookies) request.headers.set('Cookie', this.jar.getCookieStringSync(url));
    const response = await this.network(request, () => globalThis.fetch(request));
    if (sendsCookies)
      for (const cookie of response.headers.getSetCookie()) this.jar.setCookieSync(cookie, url);
    return response;
  };

  /** A client in a new tab. */
  tab(options: Partial<AuthClientOptions> = {}): AuthClient {
    return createAuthClient({ baseUrl: this.baseUrl, fetch: this.fetch, ...options });
  }

  /** As after an hour: the browser drops the access cookie. */
  dropAccessToken(): void {
    this.jar.setCookieSync('access_token=; Max-Age=0; Path=/', this.baseUrl);
  }

  /** How many requests of this kind have left, such as `POST /auth/refresh`. */
  count(request: string): number {
    return this.requests.filter((sent) => sent === request).length;
  }
}
