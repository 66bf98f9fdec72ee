import { PlinthError } from '@plinth/base';
import { concatBytes } from '@plinth/formats';

/** One element of DER (X.690): its tag, all its bytes, and those inside it. */
export interface DerNode {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

export const derTags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific element that has elements inside. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** der encodes one element. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  return concatBytes([Uint8Array.of(tag, ...encodeLength(content.length)), content]);
}

export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(derTags.sequence, ...parts);
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return der(derTags.octetString, bytes);
}

/** A non-negative integer below 2^31. */
export function integer(value: number): Uint8Array {
  const digits: number[] = [];
  for (let rest = value; digits.length === 0 || rest > 0; rest = Math.floor(rest / 256))
    digits.unshift(rest % 256);
  // A leading bit of 1 would make it negative.
  return der(derTags.integer, Uint8Array.of(...((digits[0] ?? 0) >= 0x80 ? [0] : []), ...digits));
}

export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(derTags.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** SET OF: DER wants the members in the order of their bytes. */
export function setOf(...parts: readonly Uint8Array[]): Uint8Array {
  return der(derTags.set, ...parts.toSorted(Buffer.compare));
}

/** AlgorithmIdentifier with NULL parameters. */
export function algorithm(dotted: string): Uint8Array {
  return sequence(objectIdentifier(dotted), der(derTags.null));
}

function base128(arc: number): number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    digits.unshift(128 + (rest % 128));
  return digits;
}

function encodeLength(length: number): number[] {
  if (length < 0x80) return [length];
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return [0x80 | digits.length, ...digits];
}

/**
 * readDer reads the element at the start of some bytes; what follows it is ignored. Definite lengths and one-byte
 * tags only, which is all that DER structures of signatures use.
 * @throws trust/signature-invalid
 */
export function readDer(bytes: Uint8Array): DerNode {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw malformed('no element');
  const lengthDigits = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthDigits > 4) throw malformed(`a length of form 0x${first.toString(16)}`);
  const start = 2 + lengthDigits;
  const length =
    first < 0x80 ? first : bytes.subarray(2, start).reduce((value, digit) => value * 256 + digit, 0);
  if (start + length > bytes.length)
    throw malformed(`${bytes.length} bytes where ${start + length} are announced`);
  return { tag, bytes: bytes.subarray(0, start + length), content: bytes.subarray(start, start + length) };
}

/** derChildren reads the elements one after another inside a constructed element. */
export function derChildren(node: DerNode): DerNode[] {
  const children: DerNode[] = [];
  for (let rest = node.content; rest.length > 0; ) {
    const child = readDer(rest);
    children.push(child);
    rest = rest.subarray(child.bytes.length);
  }
  return children;
}

/** expectTag narrows what may be missing or of another kind. */
export function expectTag(node: DerNode | undefined, tag: number, what: string): DerNode {
  if (node?.tag === tag) return node;
  throw malformed(`${node ? `tag 0x${node.tag.toString(16)}` : 'nothing'} for ${what}`);
}

/** sameBytes compares bytes. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function malformed(state: string): PlinthError {
  return new PlinthError('trust/signature-invalid', `Cannot read signature: ${state}, expected sound DER`);
}
