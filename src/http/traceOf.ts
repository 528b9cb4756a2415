const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/**
 * The trace and the caller's span of a `traceparent` header (W3C Trace Context, section 3.2); undefined
 * if it is not valid. A later version may append fields.
 */
export function traceOf(header: string | undefined) {
  if (header === undefined) return undefined;
  const [, version, traceId, spanId, further] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return version === '00' && further !== undefined ? undefined : { traceId, spanId };
}
