import { ByteView, decodeText } from '../byte-view.ts';
import { isElf, readElfLayout } from './elf-layout.ts';

/**
 * Headers of Go's function table (runtime/symtab.go, moduledata's pcHeader) that are read: Go 1.16, 1.18 and 1.20 and
 * later. Each names where the function names begin, in words of the pointer's size behind the first eight bytes.
 */
const FORMATS: Readonly<Record<number, { readonly names: number; readonly end: number }>> = {
  4294967290: { names: 2, end: 3 },
  4294967280: { names: 3, end: 4 },
  4294967281: { names: 3, end: 4 },
};
const SECTIONS = ['.gopclntab', '.data.rel.ro.gopclntab'];
/** kubelet has 120,000 functions with 9 MB of names. */
const NAME_LIMIT = 2_000_000;
const NAMES_LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * readGoFunctions gives the names of all functions compiled into a Go program, those inlined into others included:
 * "net/http.(*Server).Serve". The table survives stripping, since tracebacks need it. Undefined: not an ELF file made by
 * Go, or a table of a form that is not known here; then nothing is known about its functions.
 * @throws formats/truncated, formats/elf-invalid, formats/limit
 */
export function readGoFunctions(bytes: Uint8Array, name = 'given as bytes'): ReadonlySet<string> | undefined {
  if (!isElf(bytes)) return undefined;
  const { view, sections, bits, bigEndian } = readElfLayout(bytes, `ELF file ${name}`);
  const section = sections.find((candidate) => SECTIONS.includes(candidate.name) && candidate.hasBytes);
  if (!section) return undefined;
  const table = new ByteView(view.slice(section.offset, section.sizeBytes), { what: view.what, bigEndian });
  const format = FORMATS[table.u32(0)];
  const pointerBytes = table.u8(7);
  if (!format || pointerBytes * 8 !== bits) return undefined;
  const word = (index: number) => (pointerBytes === 8 ? table.u64(8 + 8 * index) : table.u32(8 + 4 * index));
  const [start, end] = [word(format.names), word(format.end)];
  if (end < start) throw view.fault('formats/elf-invalid', 'its Go function names end before they begin');
  if (end - start > NAMES_LIMIT_BYTES) {
    throw view.fault(
      'formats/limit',
      `${end - start} bytes of Go function names, expected at most ${NAMES_LIMIT_BYTES}`,
    );
  }
  return namesIn(table.slice(start, end - start), view);
}

/** NUL-terminated names, one after the other. */
function namesIn(bytes: Uint8Array, view: ByteView): ReadonlySet<string> {
  const names = new Set<string>();
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(0, start);
    const stop = end < 0 ? bytes.length : end;
    if (stop > start) names.add(decodeText(bytes.subarray(start, stop)));
    if (names.size > NAME_LIMIT) {
      throw view.fault('formats/limit', `more than ${NAME_LIMIT} Go functions, expected fewer`);
    }
    start = stop + 1;
  }
  return names;
}
