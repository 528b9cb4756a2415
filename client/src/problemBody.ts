import type { ProblemBody } from './types.js';

/** The body of a problem of auth-service; undefined for any other response, such as that of a proxy. */
export async function problemBody(response: Response): Promise<ProblemBody | undefined> {
  if (!response.headers.get('Content-Type')?.startsWith('application/problem+json'))
    return undefined;
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as Partial<ProblemBody> | null;
  return body?.type?.startsWith('urn:auth-service:problem:') ? (body as ProblemBody) : undefined;
}
