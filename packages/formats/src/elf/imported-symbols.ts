import { ByteView } from '../byte-view.ts';
import { type ElfLayout, isElf, readElfLayout } from './elf-layout.ts';

const SYMBOL_LIMIT = 4_000_000;
const SHN_UNDEF = 0;

/**
 * readImportedSymbols gives the names of the symbols that an ELF file takes from libraries (undefined ones in its dynamic
 * symbol table), without their versions. Undefined: not an ELF file, or one that is not linked dynamically.
 * Spec: gABI chapter 4, "Symbol Table".
 * @throws formats/truncated, formats/elf-invalid, formats/limit
 */
export function readImportedSymbols(
  bytes: Uint8Array,
  name = 'given as bytes',
): ReadonlySet<string> | undefined {
  if (!isElf(bytes)) return undefined;
  const layout = readElfLayout(bytes, `ELF file ${name}`);
  const symbols = section(layout, '.dynsym');
  const texts = section(layout, '.dynstr');
  if (!symbols || !texts) return undefined;
  const wide = layout.bits === 64;
  const entryBytes = wide ? 24 : 16;
  const count = Math.floor(symbols.sizeBytes / entryBytes);
  if (count > SYMBOL_LIMIT) {
    throw layout.view.fault('formats/limit', `${count} dynamic symbols, expected at most ${SYMBOL_LIMIT}`);
  }
  const imported = new Set<string>();
  for (let index = 1; index < count; index++) {
    const at = index * entryBytes;
    if (symbols.u16(at + (wide ? 6 : 14)) !== SHN_UNDEF) continue;
    const text = texts.cString(symbols.u32(at), 64 * 1024);
    if (text !== '') imported.add(text);
  }
  return imported;
}

function section({ view, sections, bigEndian }: ElfLayout, name: string): ByteView | undefined {
  const found = sections.find((candidate) => candidate.name === name && candidate.hasBytes);
  return found && new ByteView(view.slice(found.offset, found.sizeBytes), { what: view.what, bigEndian });
}
