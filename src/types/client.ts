/** Who sent a request, as far as the service can tell. */
export interface Client {
  requestId: string;
  /** The address by the TRUST_PROXY setting; null where there is none. */
  ipAddress: string | null;
  /** The address that limits count by: an IPv6 client has a whole /64 to choose from. */
  network: string | null;
  userAgent: string | null;
}
