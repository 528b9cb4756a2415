/** The sender of a request, as far as the service can tell. */
export interface Client {
  requestId: string;
  /** The address by the TRUST_PROXY setting; null only if the connection is already gone. */
  ipAddress: string | null;
  /** The address, or an IPv6 client's /64: the addresses that one household or device can choose from. */
  network: string | null;
  /** The address, or an IPv6 client's /48: the networks that one customer of a provider can choose from. */
  site: string | null;
  userAgent: string | null;
  /** The span of the caller (W3C Trace Context), for the log. */
  trace?: { readonly traceId: string; readonly spanId: string } | undefined;
}
