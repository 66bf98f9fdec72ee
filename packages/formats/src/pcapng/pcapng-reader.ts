import { PlinthError } from '@plinth/base';

/** A packet as it was captured. */
export interface CapturedPacket {
  /** Number of its interface in the section. */
  readonly interfaceId: number;
  /** Nanoseconds since 1970, when the section keeps nanoseconds. */
  readonly time: bigint;
  readonly direction: 'in' | 'out' | undefined;
  /** As much of it as was kept. */
  readonly bytes: Uint8Array;
  /** How long it was. */
  readonly lengthBytes: number;
}

/** What a section says of itself. */
export interface PcapngSummary {
  readonly interfaces: readonly { readonly name: string; readonly linkType: number }[];
  readonly packets: number;
  /** Left out because there was no room for them, as the statistics of the end say. */
  readonly dropped: number;
  /** The comment of the statistics: of plinth-capture, why it ended. Undefined as long as there are none. */
  readonly comment: string | undefined;
}

/** Reads a section as it comes. */
export interface PcapngReader {
  /** Takes the next bytes. @throws formats/pcapng-invalid, formats/limit */
  push(bytes: Uint8Array): void;
  /** What there was. @throws formats/pcapng-invalid when a block has not come to its end */
  end(): PcapngSummary;
}

/** A packet has 256 KiB at most, and some options. */
const BLOCK_LIMIT_BYTES = 1024 * 1024;
const INTERFACES_LIMIT = 65_536;

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const STATISTICS = 5;
const PACKET = 6;

/**
 * openPcapngReader reads one section of pcapng in little-endian order (draft-ietf-opsawg-pcapng) piece by piece, in bounded
 * memory. Unknown blocks are passed over.
 * @param onPacket told each packet; its bytes hold until it returns
 */
export function openPcapngReader(onPacket: (packet: CapturedPacket) => void = () => {}): PcapngReader {
  const interfaces: { readonly name: string; readonly linkType: number }[] = [];
  let [rest, packets, dropped, begun] = [new Uint8Array(0), 0, 0, false];
  let comment: string | undefined;

  function block(kind: number, body: DataView): void {
    if (begun === (kind === SECTION)) throw invalid('it is not one section');
    if (kind === SECTION) {
      need(body, 16);
      if (body.getUint32(0, true) !== 0x1a2b3c4d || body.getUint16(4, true) !== 1)
        throw invalid('its byte order or version is another');
      begun = true;
    } else if (kind === INTERFACE) {
      need(body, 8);
      if (interfaces.length >= INTERFACES_LIMIT)
        throw new PlinthError(
          'formats/limit',
          `Cannot read pcapng: more than ${INTERFACES_LIMIT} interfaces`,
        );
      const name = options(body, 8).get(2);
      interfaces.push({ name: name ? textOf(name) : '', linkType: body.getUint16(0, true) });
    } else if (kind === PACKET) {
      packet(body);
    } else if (kind === STATISTICS) {
      const found = options(body, 12);
      const [said, lost] = [found.get(1), found.get(5)];
      if (said) comment = textOf(said);
      if (lost?.byteLength === 8) dropped += Number(lost.getBigUint64(0, true));
    }
  }

  function packet(body: DataView): void {
    need(body, 20);
    const [interfaceId, high, low, kept, lengthBytes] = [0, 4, 8, 12, 16].map((at) =>
      body.getUint32(at, true),
    ) as [number, number, number, number, number];
    if (interfaceId >= interfaces.length) throw invalid(`a packet is of interface ${interfaceId}`);
    need(body, 20 + kept);
    const flags = options(body, 20 + align(kept)).get(2);
    const direction = flags?.byteLength === 4 ? flags.getUint32(0, true) & 3 : 0;
    packets++;
    onPacket({
      ...{ interfaceId, lengthBytes, time: (BigInt(high) << 32n) | BigInt(low) },
      direction: direction === 1 ? 'in' : direction === 2 ? 'out' : undefined,
      bytes: new Uint8Array(body.buffer, body.byteOffset + 20, kept),
    });
  }

  return {
    push(bytes) {
      const all = rest.length === 0 ? bytes : joined(rest, bytes);
      const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
      let at = 0;
      while (all.length - at >= 12) {
        const lengthBytes = view.getUint32(at + 4, true);
        if (lengthBytes < 12 || lengthBytes % 4 !== 0) throw invalid(`a block has ${lengthBytes} bytes`);
        if (lengthBytes > BLOCK_LIMIT_BYTES)
          throw new PlinthError('formats/limit', `Cannot read pcapng: a block has ${lengthBytes} bytes`);
        if (all.length - at < lengthBytes) break;
        if (view.getUint32(at + lengthBytes - 4, true) !== lengthBytes)
          throw invalid('a block says two lengths');
        block(view.getUint32(at, true), new DataView(all.buffer, all.byteOffset + at + 8, lengthBytes - 12));
        at += lengthBytes;
      }
      // A copy: slice() of a Buffer would keep the memory of all of it.
      rest = new Uint8Array(all.subarray(at));
    },
    end() {
      if (rest.length > 0 || !begun) throw invalid('it ends within a block');
      return { interfaces, packets, dropped, comment };
    },
  };
}

/** Options by code, the last of each; a list that breaks off is refused. */
function options(body: DataView, from: number): ReadonlyMap<number, DataView> {
  const found = new Map<number, DataView>();
  for (let at = from; at < body.byteLength; ) {
    need(body, at + 4);
    const [code, lengthBytes] = [body.getUint16(at, true), body.getUint16(at + 2, true)];
    if (code === 0) break;
    need(body, at + 4 + lengthBytes);
    found.set(code, new DataView(body.buffer, body.byteOffset + at + 4, lengthBytes));
    at += 4 + align(lengthBytes);
  }
  return found;
}

function need(body: DataView, sizeBytes: number): void {
  if (body.byteLength < sizeBytes) throw invalid('a block is too short for what it holds');
}

function align(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4) * 4;
}

function textOf(view: DataView): string {
  return new TextDecoder().decode(view);
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function invalid(state: string): PlinthError {
  return new PlinthError('formats/pcapng-invalid', `Cannot read pcapng: ${state}, expected whole blocks`);
}
