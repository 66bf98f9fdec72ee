import { ByteView, decodeText } from '../byte-view.ts';
import { alignUp } from '../bytes.ts';
import { CPIO_MAGIC, CPIO_TRAILER, type CpioEntry } from './write-cpio.ts';

/** A device node, FIFO or socket: named, not described. */
export interface CpioOther {
  readonly kind: 'other';
  readonly path: string;
  readonly mode: number;
}

export interface CpioArchive {
  readonly entries: readonly (CpioEntry | CpioOther)[];
  /** Where the archive ends, its zero padding included: another one may follow there. */
  readonly endOffset: number;
}

const HEADER_BYTES = 110;
const ENTRY_LIMIT = 200_000;
const PATH_LIMIT_BYTES = 4096;

/**
 * readCpio reads one uncompressed "newc" archive that starts at `offset`. Paths are given as they are in the
 * archive: whoever unpacks them must check them.
 * @throws formats/cpio-invalid, formats/truncated, formats/limit
 */
export function readCpio(bytes: Uint8Array, offset = 0): CpioArchive {
  const view = new ByteView(bytes, { what: 'cpio archive' });
  const entries: (CpioEntry | CpioOther)[] = [];
  for (let at = offset; ; ) {
    const { path, mode, data, endOffset } = readMember(view, at);
    at = endOffset;
    if (path === CPIO_TRAILER) return { entries, endOffset: skipZeros(bytes, at) };
    if (entries.length >= ENTRY_LIMIT) {
      throw view.fault('formats/limit', `more than ${ENTRY_LIMIT} entries, expected fewer`);
    }
    entries.push(entryOf(path, mode, data));
  }
}

function readMember(view: ByteView, at: number) {
  const head = decodeText(view.slice(at, HEADER_BYTES));
  if (!/^070701[0-9a-fA-F]{104}$/.test(head)) {
    throw view.fault(
      'formats/cpio-invalid',
      `no header at byte ${at}, expected ${CPIO_MAGIC} and 13 numbers`,
    );
  }
  const field = (index: number) => Number.parseInt(head.slice(6 + index * 8, 14 + index * 8), 16);
  const [mode, sizeBytes, nameBytes] = [field(1), field(6), field(11)];
  if (nameBytes === 0 || nameBytes > PATH_LIMIT_BYTES) {
    throw view.fault(
      'formats/cpio-invalid',
      `a name of ${nameBytes} bytes, expected 1 to ${PATH_LIMIT_BYTES}`,
    );
  }
  const name = decodeText(view.slice(at + HEADER_BYTES, nameBytes));
  const dataAt = at + alignUp(HEADER_BYTES + nameBytes, 4);
  return {
    path: name.replace(/\0[\s\S]*$/, ''),
    mode,
    data: view.slice(dataAt, sizeBytes),
    endOffset: dataAt + alignUp(sizeBytes, 4),
  };
}

function entryOf(path: string, mode: number, data: Uint8Array): CpioEntry | CpioOther {
  const permissions = mode & 0o7777;
  switch (mode & 0o170000) {
    case 0o040000:
      return { kind: 'directory', path, mode: permissions };
    case 0o100000:
      return { kind: 'file', path, mode: permissions, data };
    case 0o120000:
      return { kind: 'symlink', path, target: decodeText(data) };
    default:
      return { kind: 'other', path, mode: permissions };
  }
}

function skipZeros(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === 0) at++;
  return at;
}
