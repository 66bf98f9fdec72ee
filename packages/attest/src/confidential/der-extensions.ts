import { PlinthError } from '@plinth/base';
import { hex } from '@plinth/formats';

const TAG = { octetString: 0x04, oid: 0x06, boolean: 0x01, sequence: 0x30, extensions: 0xa3 } as const;
const ELEMENTS_MOST = 200;

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/**
 * readExtensions gives the extensions of an X.509 certificate by the hexadecimal DER content of their OID, each as what its
 * OCTET STRING holds. @throws attest/structure-invalid
 */
export function readExtensions(certificate: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const [outer] = elements(certificate);
  const [toBeSigned] = elements(expect(outer, TAG.sequence));
  const holder = elements(expect(toBeSigned, TAG.sequence)).find(({ tag }) => tag === TAG.extensions);
  const found = new Map<string, Uint8Array>();
  if (!holder) return found;
  for (const extension of elements(expect(elements(holder.content)[0], TAG.sequence))) {
    const [oid, ...rest] = elements(expect(extension, TAG.sequence));
    const value = rest.find(({ tag }) => tag !== TAG.boolean);
    found.set(hex(expect(oid, TAG.oid)), expect(value, TAG.octetString));
  }
  return found;
}

/** readSmallInteger reads a DER INTEGER from 0 to 255. @throws attest/structure-invalid */
export function readSmallInteger(der: Uint8Array | undefined): number {
  const [number] = der ? elements(der) : [];
  const digits = expect(number, 0x02);
  const value =
    digits.length === 2 && digits[0] === 0 ? digits[1] : digits.length === 1 ? digits[0] : undefined;
  if (value === undefined || (digits.length === 1 && value > 127))
    throw invalid('a number is not from 0 to 255');
  return value;
}

function expect(element: Element | undefined, tag: number): Uint8Array {
  if (element?.tag === tag) return element.content;
  throw invalid(`element ${element?.tag ?? 'none'} is there, expected ${tag}`);
}

function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const wide = first > 0x80 ? first - 0x80 : 0;
    let size = wide === 0 ? first : 0;
    for (let index = 0; index < wide; index++) size = size * 256 + (bytes[at + 2 + index] ?? 0);
    const start = at + 2 + wide;
    if (first === 0x80 || wide > 3 || start + size > bytes.length || found.length >= ELEMENTS_MOST) {
      throw invalid('a length is beyond its bytes');
    }
    found.push({ tag, content: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return found;
}

function invalid(state: string): PlinthError {
  return new PlinthError('attest/structure-invalid', `Cannot read a certificate: ${state}`);
}
