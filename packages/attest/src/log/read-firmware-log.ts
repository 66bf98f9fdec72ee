import { type ByteView, hex, sha256, ByteView as View } from '@plinth/formats';
import { describeFirmwareEvent, FIRMWARE_EVENTS } from './describe-firmware-event.ts';
import { EVENT_LIMIT, type MeasuredEvent, PCR_COUNT } from './measured-event.ts';

/** What the firmware and the programs before the kernel measured. */
export interface FirmwareLog {
  readonly events: readonly MeasuredEvent[];
  /** Locality from which PCR 0 was started: its value begins with it. */
  readonly startupLocality: number;
}

/** The whole log; one of a machine with many devices has some 100 KiB. */
export const FIRMWARE_LOG_LIMIT_BYTES = 512 * 1024;
const ALG_SHA256 = 0x000b;
const EV_NO_ACTION = 3;
const ALGORITHM_LIMIT = 8;
const LEGACY_HEAD_BYTES = 32;

/**
 * readFirmwareLog reads a crypto-agile event log (TCG PC Client Platform Firmware Profile 1.05, section 10), as Linux
 * gives it in binary_bios_measurements.
 * @throws attest/log-invalid, formats/truncated
 */
export function readFirmwareLog(bytes: Uint8Array): FirmwareLog {
  const view = new View(bytes, { what: 'log of the firmware' });
  if (bytes.length > FIRMWARE_LOG_LIMIT_BYTES) {
    throw invalid(view, `${bytes.length} bytes, expected at most ${FIRMWARE_LOG_LIMIT_BYTES}`);
  }
  const headBytes = view.u32(28);
  const algorithms = readAlgorithms(view, view.slice(LEGACY_HEAD_BYTES, headBytes));
  const events: MeasuredEvent[] = [];
  let startupLocality = 0;
  for (let at = LEGACY_HEAD_BYTES + headBytes; at < bytes.length; ) {
    const { event, next } = readEvent(view, at, algorithms);
    at = next;
    if (event.type === EV_NO_ACTION) startupLocality = localityOf(event.data) ?? startupLocality;
    else events.push(measured(event));
    if (events.length > EVENT_LIMIT) throw invalid(view, `more than ${EVENT_LIMIT} events, expected fewer`);
  }
  return { events, startupLocality };
}

/** The first event tells which hashes each event has, and how long they are. */
function readAlgorithms(view: ByteView, head: Uint8Array): ReadonlyMap<number, number> {
  const spec = new View(head, { what: 'head of the firmware log' });
  if (spec.cString(0, 16) !== 'Spec ID Event03')
    throw invalid(view, 'another head, expected "Spec ID Event03"');
  const count = spec.u32(24);
  if (count > ALGORITHM_LIMIT) throw invalid(view, `${count} hashes, expected at most ${ALGORITHM_LIMIT}`);
  const sizes = new Map<number, number>();
  for (let index = 0; index < count; index++) sizes.set(spec.u16(28 + index * 4), spec.u16(30 + index * 4));
  if (sizes.get(ALG_SHA256) !== 32) throw invalid(view, 'no SHA-256, expected it');
  return sizes;
}

interface RawEvent {
  readonly pcr: number;
  readonly type: number;
  readonly digest: Uint8Array;
  readonly data: Uint8Array;
}

function readEvent(
  view: ByteView,
  start: number,
  algorithms: ReadonlyMap<number, number>,
): { event: RawEvent; next: number } {
  const [pcr, type, count] = [view.u32(start), view.u32(start + 4), view.u32(start + 8)];
  if (pcr >= PCR_COUNT || count > ALGORITHM_LIMIT) {
    throw invalid(
      view,
      `an event for PCR ${pcr} with ${count} digests at byte ${start}, expected a sound one`,
    );
  }
  let at = start + 12;
  let digest: Uint8Array | undefined;
  for (let index = 0; index < count; index++) {
    const algorithm = view.u16(at);
    const sizeBytes = algorithms.get(algorithm);
    if (sizeBytes === undefined)
      throw invalid(view, `a digest of hash ${algorithm}, expected one of its head`);
    if (algorithm === ALG_SHA256) digest = view.slice(at + 2, sizeBytes);
    at += 2 + sizeBytes;
  }
  if (!digest) throw invalid(view, `an event without SHA-256 at byte ${start}, expected all to have it`);
  const dataBytes = view.u32(at);
  return { event: { pcr, type, digest, data: view.slice(at + 4, dataBytes) }, next: at + 4 + dataBytes };
}

function measured({ pcr, type, digest, data }: RawEvent): MeasuredEvent {
  const proven = hex(sha256(data)) === hex(digest);
  return {
    source: 'firmware',
    pcr,
    type: FIRMWARE_EVENTS.get(type) ?? `0x${type.toString(16)}`,
    sha256: hex(digest),
    ...(proven && { content: data }),
    description: describeFirmwareEvent(type, data),
  };
}

/** "StartupLocality" and one byte, in an event that measures nothing (section 10.4.5.3). */
function localityOf(data: Uint8Array): number | undefined {
  const signature = Buffer.from('StartupLocality\0');
  if (data.length !== signature.length + 1 || !signature.equals(data.subarray(0, signature.length))) return;
  return data.at(-1);
}

function invalid(view: ByteView, state: string) {
  return view.fault('attest/log-invalid', state);
}
