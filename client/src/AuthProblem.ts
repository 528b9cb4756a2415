import type { ProblemCode } from './problemCodes.js';
import { problemBody } from './problemBody.js';
import { retryAfter } from './retryAfter.js';
import type { ProblemBody, ProblemError } from './types.js';

/** A request that was refused, with what the service says about it (RFC 9457). */
export class AuthProblem extends Error {
  override readonly name = 'AuthProblem';
  readonly status: number;
  /** `about:blank` if the response is not of auth-service, but of a proxy, for example. */
  readonly type: string;
  readonly title: string;
  /** The end of `type`. Undefined with `about:blank`; a newer service may have others. */
  readonly code: ProblemCode | undefined;
  /** One for each invalid field. Empty with `about:blank`. */
  readonly errors: readonly ProblemError[];
  /** For support: it finds the request in the service's log. */
  readonly requestId: string | undefined;
  /** Seconds to wait before the next attempt; 0 if the response does not say. */
  readonly retryAfter: number;

  private constructor(response: Response, body: ProblemBody | undefined) {
    const { status, statusText } = response;
    super(body?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.type = body?.type ?? 'about:blank';
    this.title = body?.title ?? statusText;
    this.code = body && (body.type.slice(body.type.lastIndexOf(':') + 1) as ProblemCode);
    this.errors = body?.errors ?? [];
    this.requestId = body?.instance;
    this.retryAfter = retryAfter(response);
  }

  static async of(response: Response): Promise<AuthProblem> {
    return new AuthProblem(response, await problemBody(response));
  }
}
