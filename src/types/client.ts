/** The sender of a request. */
export interface Client {
  requestId: string;
  /** As TRUST_PROXY says; null only if the connection is already gone. */
  ipAddress: string | null;
  /** The IPv4 address, or the IPv6 /64, from which a household can choose addresses. */
  network: string | null;
  /** The IPv4 address, or the IPv6 /48, from which a customer of a provider can choose networks. */
  site: string | null;
  userAgent: string | null;
  /** The span of the caller (W3C Trace Context), for the log. */
  trace?: { readonly traceId: string; readonly spanId: string } | undefined;
}
