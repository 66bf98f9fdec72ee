import { ByteView } from '../byte-view.ts';
import { type DynamicSection, readDynamicSection } from './dynamic-section.ts';
import { type ElfLayout, isElf, readElfLayout } from './elf-layout.ts';
import { type ElfNotes, readElfNotes } from './elf-notes.ts';
import { type GoBuildInfo, readGoBuildInfo } from './go-build-info.ts';

/** What Plinth wants to know of a program, a library, a kernel module or a relocatable object. */
export interface ElfFile extends DynamicSection, ElfNotes {
  readonly type: 'relocatable' | 'executable' | 'shared' | 'core' | 'other';
  /** "x86-64", "aarch64", … or "machine-N" for one without a name here. */
  readonly machine: string;
  readonly bits: 32 | 64;
  /** The program loader it asks for (PT_INTERP); absent in static programs and libraries. */
  readonly interpreter?: string;
  /** Present in programs made by Go's linker. */
  readonly go?: GoBuildInfo;
}

const fileTypes = ['other', 'relocatable', 'executable', 'shared', 'core'] as const;
const machines: Readonly<Record<number, string>> = {
  3: 'x86',
  40: 'arm',
  62: 'x86-64',
  183: 'aarch64',
  243: 'riscv',
  247: 'bpf',
};

/**
 * readElf reads headers, dynamic section and notes of an ELF file; code and data are not looked at.
 * Gives undefined for bytes that do not start with the ELF magic.
 * Specs: System V gABI chapters 4 and 5, UAPI.8 (package notes), UAPI.12 (dlopen notes).
 * @param name the file's path, for messages
 * @throws formats/truncated, formats/elf-invalid, formats/limit
 */
export function readElf(bytes: Uint8Array, name = 'given as bytes'): ElfFile | undefined {
  if (!isElf(bytes)) return undefined;
  const layout = readElfLayout(bytes, `ELF file ${name}`);
  const interpreter = readInterpreter(layout);
  const go = readGoBuildInfo(layout);
  return {
    type: fileTypes[layout.fileType] ?? 'other',
    machine: machines[layout.machine] ?? `machine-${layout.machine}`,
    bits: layout.bits,
    ...(interpreter === undefined ? {} : { interpreter }),
    ...readDynamicSection(layout),
    ...readElfNotes(layout),
    ...(go === undefined ? {} : { go }),
  };
}

function readInterpreter(layout: ElfLayout): string | undefined {
  const segment = layout.segments.find((candidate) => candidate.type === 'interp');
  if (!segment) return undefined;
  const inside = new ByteView(layout.view.slice(segment.offset, segment.sizeBytes), {
    what: layout.view.what,
  });
  return inside.cString(0);
}
