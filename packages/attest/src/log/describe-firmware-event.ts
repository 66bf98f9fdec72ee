import { ByteView, decodeGuid } from '@plinth/formats';

/** Names of event types (TCG PC Client Platform Firmware Profile 1.05, table 27), without "EV_". */
export const FIRMWARE_EVENTS: ReadonlyMap<number, string> = new Map([
  [0x03, 'no-action'],
  [0x04, 'separator'],
  [0x05, 'action'],
  [0x06, 'event-tag'],
  [0x08, 's-crtm-version'],
  [0x0d, 'ipl'],
  [0x8000_0001, 'efi-variable-driver-config'],
  [0x8000_0002, 'efi-variable-boot'],
  [0x8000_0003, 'efi-boot-services-application'],
  [0x8000_0004, 'efi-boot-services-driver'],
  [0x8000_0006, 'efi-gpt-event'],
  [0x8000_0007, 'efi-action'],
  [0x8000_0008, 'efi-platform-firmware-blob'],
  [0x8000_0009, 'efi-handoff-tables'],
  [0x8000_000a, 'efi-platform-firmware-blob2'],
  [0x8000_000b, 'efi-handoff-tables2'],
  [0x8000_000c, 'efi-variable-boot2'],
  [0x8000_00e0, 'efi-variable-authority'],
]);

const VARIABLE_TYPES: ReadonlySet<number> = new Set([0x8000_0001, 0x8000_0002, 0x8000_000c, 0x8000_00e0]);
const TEXT_LIMIT = 120;
const NAME_LIMIT_CHARACTERS = 256;

/** A variable of the firmware as it is measured (UEFI_VARIABLE_DATA). */
export interface MeasuredVariable {
  readonly guid: string;
  readonly name: string;
  readonly data: Uint8Array;
}

/** readMeasuredVariable reads a UEFI_VARIABLE_DATA. @throws formats/truncated for bytes that are none */
export function readMeasuredVariable(bytes: Uint8Array): MeasuredVariable {
  const view = new ByteView(bytes, { what: 'variable of the firmware' });
  const [characters, dataBytes] = [view.u64(16), view.u64(24)];
  const nameBytes = view.slice(32, characters * 2);
  return {
    guid: decodeGuid(view.slice(0, 16)),
    name: Buffer.from(nameBytes.subarray(0, NAME_LIMIT_CHARACTERS * 2)).toString('utf16le'),
    data: view.slice(32 + characters * 2, dataBytes),
  };
}

/** describeFirmwareEvent says in words what an event claims to be; never fails, and proves nothing. */
export function describeFirmwareEvent(type: number, data: Uint8Array): string {
  try {
    if (VARIABLE_TYPES.has(type)) {
      const { name, data: content } = readMeasuredVariable(data);
      return `${plain(name)}, ${content.length} bytes`;
    }
    if (type === 0x06) return taggedText(data);
  } catch {
    return `${data.length} bytes`;
  }
  if (type === 0x04) return 'separator';
  return textOf(data) ?? `${data.length} bytes`;
}

/** A TCG_PCClientTaggedEvent: id, length, then data; Linux writes a text. */
function taggedText(bytes: Uint8Array): string {
  const view = new ByteView(bytes, { what: 'tagged event' });
  return textOf(view.slice(8, view.u32(4))) ?? `${bytes.length} bytes`;
}

/** Text of one byte or two bytes a character, where all of it can be shown. */
function textOf(data: Uint8Array): string | undefined {
  const buffer = Buffer.from(data.subarray(0, TEXT_LIMIT * 2));
  for (const encoding of ['utf8', 'utf16le'] as const) {
    const text = buffer.toString(encoding).replace(/\0+$/, '');
    if (text !== '' && /^[\x20-\x7e]+$/.test(text)) return text.slice(0, TEXT_LIMIT);
  }
  return undefined;
}

function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
