/** Who sent a request, as far as the service can tell. */
export interface Client {
  requestId: string;
  /** The address by the TRUST_PROXY setting; null where there is none. */
  ipAddress: string | null;
  userAgent: string | null;
}
