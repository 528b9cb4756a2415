/** The sender of a request, as far as the service can tell. */
export interface Client {
  requestId: string;
  /** The address by the TRUST_PROXY setting; null if there is none. */
  ipAddress: string | null;
  /** The address that limits count by: an IPv6 client can choose any address of its /64. */
  network: string | null;
  userAgent: string | null;
}
