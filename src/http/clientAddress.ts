import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Client } from '../types/client';

const MAX_LENGTH = 100;

/**
 * The address in an entry of X-Forwarded-For or of a socket, without port, brackets and zone: IPv4 if it
 * is IPv4-mapped, IPv6 in canonical form (RFC 5952), undefined for anything else, such as `unknown`.
 */
export function plainAddress(entry: string | undefined): string | undefined {
  if (entry === undefined || entry.length > MAX_LENGTH) return undefined;
  // Fast path for the usual form of a socket's address.
  const mapped = /^::ffff:([\d.]+)$/.exec(entry)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const text = entry.trim().replace(/^"(.*)"$/, '$1');
  const bare =
    /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/%.*$/, '');
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toString();
}

export function networksOf(address: string): Pick<Client, 'ipAddress' | 'network' | 'site'> {
  const prefix = (bits: number) =>
    isIPv4(address)
      ? address
      : `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`).toString()}/${bits}`;
  return { ipAddress: address, network: prefix(64), site: prefix(48) };
}
