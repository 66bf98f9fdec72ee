import { alignUp } from '../bytes.ts';

export interface PePart {
  readonly name: string;
  readonly data: Uint8Array;
}

const ALIGNMENT = 512;

/** buildPe makes a small PE32+ file for tests: headers with room for one section more, then the sections. */
export function buildPe(
  parts: readonly PePart[],
  options: { readonly trailing?: Uint8Array } = {},
): Uint8Array {
  const headersSize = alignUp(0x40 + 24 + 240 + 40 * (parts.length + 1), ALIGNMENT);
  const bodySize = parts.reduce((sum, { data }) => sum + alignUp(data.length, ALIGNMENT), 0);
  const trailing = options.trailing ?? new Uint8Array();
  const bytes = new Uint8Array(headersSize + bodySize + trailing.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(0x3c, 0x40, true);
  view.setUint32(0x40, 0x4550, true);
  view.setUint16(0x44, 0x8664, true);
  view.setUint16(0x46, parts.length, true);
  view.setUint16(0x54, 240, true);
  const optional = 0x58;
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, 4096, true);
  view.setUint32(optional + 36, ALIGNMENT, true);
  view.setUint32(optional + 60, headersSize, true);
  view.setUint32(optional + 108, 16, true);
  let [fileAt, addressAt] = [headersSize, 4096];
  for (const [index, { name, data }] of parts.entries()) {
    const header = optional + 240 + index * 40;
    bytes.set(new TextEncoder().encode(name).subarray(0, 8), header);
    view.setUint32(header + 8, data.length, true);
    view.setUint32(header + 12, addressAt, true);
    view.setUint32(header + 16, alignUp(data.length, ALIGNMENT), true);
    view.setUint32(header + 20, fileAt, true);
    bytes.set(data, fileAt);
    fileAt += alignUp(data.length, ALIGNMENT);
    addressAt += alignUp(Math.max(data.length, 1), 4096);
  }
  bytes.set(trailing, fileAt);
  return bytes;
}
