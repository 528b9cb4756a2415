import type { Request, Response } from 'express';
import { JWKS_MAX_AGE } from '../keys/rotationTimes';
import type { WellKnownDocument, WellKnownService } from '../service/WellKnownService';

/** The documents from which programs learn to call this service and to verify its tokens. */
export class WellKnownController {
  constructor(private readonly documents: WellKnownService) {}

  readonly jwks = (_req: Request, res: Response): void => {
    send(res, this.documents.jwks());
  };

  readonly metadata = (_req: Request, res: Response): void => {
    send(res, this.documents.metadata);
  };

  readonly openApi = (_req: Request, res: Response): void => {
    send(res, this.documents.openApi);
  };
}

function send(res: Response, { body, etag }: WellKnownDocument): void {
  res.set({ 'Cache-Control': `public, max-age=${JWKS_MAX_AGE}`, ETag: etag });
  res.type('application/json').send(body);
}
