/** An IP address as a number. */
export interface Ip {
  readonly family: 'ipv4' | 'ipv6';
  readonly bits: bigint;
}

export interface Cidr {
  readonly ip: string;
  readonly prefix: number;
  readonly family: Ip['family'];
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** parseIp reads an address as inet_pton(3) does: no zone, no leading zeros in IPv4; undefined when it is none. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** parseCidr splits "10.5.0.11/24"; undefined when it is not an address with a prefix length. */
export function parseCidr(text: string): Cidr | undefined {
  const [, ip = '', length = ''] = /^([0-9a-fA-F.:]+)\/([1-9]\d{0,2})$/.exec(text) ?? [];
  const parsed = parseIp(ip);
  const prefix = Number(length);
  if (!parsed || prefix > BITS[parsed.family]) return undefined;
  return { ip, prefix, family: parsed.family };
}

/** contains tells whether an address is in the network of `cidr`. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  const own = parseIp(cidr.ip);
  const shift = BigInt(BITS[cidr.family] - cidr.prefix);
  return own?.family === ip.family && own.bits >> shift === ip.bits >> shift;
}

/** hostBitsOf is what of an address lies behind its prefix: 0 for the address of a network. */
export function hostBitsOf(cidr: Cidr): bigint {
  const own = parseIp(cidr.ip)?.bits ?? 0n;
  return own & ((1n << BigInt(BITS[cidr.family] - cidr.prefix)) - 1n);
}

function parseIpv4(text: string): Ip | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return { family: 'ipv4', bits: parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) };
}

function parseIpv6(text: string): Ip | undefined {
  const halves = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves;
  const last = halves.length === 2 ? tail : head;
  const four = last.at(-1)?.includes('.') ? parseIpv4(last.at(-1) ?? '') : undefined;
  if (four) last.splice(-1, 1, (four.bits >> 16n).toString(16), (four.bits & 0xffffn).toString(16));
  const given = head.length + tail.length;
  if (halves.length === 2 ? given > 7 : given !== 8) return undefined;
  const groups = [...head, ...Array.from({ length: 8 - given }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return { family: 'ipv6', bits: groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n) };
}
