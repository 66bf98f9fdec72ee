import { ByteView } from '../byte-view.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface DynamicSection {
  /** True for everything the dynamic loader handles, a static position-independent program included. */
  readonly hasDynamic: boolean;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
  readonly soname?: string;
  /** DT_RUNPATH or the older DT_RPATH, split at colons. */
  readonly runpath: readonly string[];
}

const DT_NULL = 0;
const DT_NEEDED = 1;
const DT_STRTAB = 5;
const DT_SONAME = 14;
const DT_RPATH = 15;
const DT_RUNPATH = 29;
const ENTRY_LIMIT = 8192;

/** readDynamicSection reads what the dynamic loader would load with the file (gABI chapter 5, "Dynamic Section"). */
export function readDynamicSection(layout: ElfLayout): DynamicSection {
  const segment = layout.segments.find((candidate) => candidate.type === 'dynamic');
  // Detached debug files keep the segment's header but none of its bytes.
  if (!segment || segment.sizeBytes === 0) return { hasDynamic: false, needed: [], runpath: [] };
  const entries = readEntries(layout, segment.offset, segment.sizeBytes);
  const offsets = (tag: number) => entries.filter((entry) => entry.tag === tag).map((entry) => entry.value);
  const [tableAddress] = offsets(DT_STRTAB);
  if (tableAddress === undefined) return { hasDynamic: true, needed: [], runpath: [] };

  const texts = textsAt(layout, tableAddress);
  const [soname] = offsets(DT_SONAME).map((offset) => texts.cString(offset));
  const [runpath] = [...offsets(DT_RUNPATH), ...offsets(DT_RPATH)].map((offset) => texts.cString(offset));
  return {
    hasDynamic: true,
    needed: offsets(DT_NEEDED).map((offset) => texts.cString(offset)),
    ...(soname === undefined ? {} : { soname }),
    runpath: runpath === undefined || runpath === '' ? [] : runpath.split(':'),
  };
}

function readEntries(
  layout: ElfLayout,
  offset: number,
  sizeBytes: number,
): { readonly tag: number; readonly value: number }[] {
  const { view, bits } = layout;
  const step = bits === 64 ? 16 : 8;
  const count = Math.floor(sizeBytes / step);
  if (count > ENTRY_LIMIT) {
    throw view.fault('formats/limit', `${count} dynamic entries, expected at most ${ENTRY_LIMIT}`);
  }
  const entries = [];
  for (let index = 0; index < count; index++) {
    const at = offset + index * step;
    const tag = bits === 64 ? view.u64Clamped(at) : view.u32(at);
    if (tag === DT_NULL) break;
    // Only tags below DT_LOOS matter here; values of others (flags, checksums) may use all 64 bits.
    if (tag > DT_RUNPATH) continue;
    entries.push({ tag, value: bits === 64 ? view.u64(at + 8) : view.u32(at + 4) });
  }
  return entries;
}

/** The string table is given by its address in memory; a load segment tells where that is in the file. */
function textsAt(layout: ElfLayout, address: number): ByteView {
  const segment = layout.segments.find(
    ({ type, address: start, sizeBytes }) =>
      type === 'load' && start <= address && address < start + sizeBytes,
  );
  if (!segment) {
    throw layout.view.fault('formats/elf-invalid', 'its string table is in no load segment, expected one');
  }
  const skipped = address - segment.address;
  return new ByteView(layout.view.slice(segment.offset + skipped, segment.sizeBytes - skipped), {
    what: layout.view.what,
  });
}
