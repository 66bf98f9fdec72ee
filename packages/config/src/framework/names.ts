import { z } from 'zod';
import { parseCidr, parseIp } from './ip.ts';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`);

/** A name of DNS in lower case, without a dot at its end. */
export const domainName = z
  .string()
  .regex(DOMAIN, 'expected a domain name of lower-case letters, digits and hyphens: example.com');

/** An address of IPv4 or IPv6, without a zone. */
export const ipAddress = z
  .string()
  .refine((text) => parseIp(text) !== undefined, 'expected an IP address: 10.5.0.2');

/** An address with the length of its network's prefix. */
export const cidrAddress = z
  .string()
  .refine(
    (text) => parseCidr(text) !== undefined,
    'expected an address with its prefix length: 10.5.0.11/24',
  );

/** A server by name or address. */
export const serverName = z
  .string()
  .refine(
    (text) => parseIp(text) !== undefined || DOMAIN.test(text),
    'expected an IP address or a domain name: ntp.example.com',
  );
