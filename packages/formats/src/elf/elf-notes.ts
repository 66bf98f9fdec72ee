import { ByteView, decodeText } from '../byte-view.ts';
import { alignUp, hex } from '../bytes.ts';
import type { ElfLayout } from './elf-layout.ts';

/** One library or set of alternatives that a program may load at run time (UAPI.12). */
export interface DlopenDependency {
  readonly feature?: string;
  readonly description?: string;
  /** Alternatives, best first: any one of them is enough. */
  readonly sonames: readonly string[];
  /** How much is lost without it; "recommended" when the note does not say. */
  readonly priority: 'required' | 'recommended' | 'suggested';
}

export interface ElfNotes {
  /** Lower-case hex. */
  readonly buildId?: string;
  readonly dlopen: readonly DlopenDependency[];
  /** The package the file was built from (UAPI.8): name, version, type, … as the note has them. */
  readonly package?: Readonly<Record<string, string>>;
}

interface Note {
  readonly owner: string;
  readonly type: number;
  readonly data: Uint8Array;
}

const NT_GNU_BUILD_ID = 3;
const NT_FDO_PACKAGE = 0xcafe1a7e;
const NT_FDO_DLOPEN = 0x407c0c0a;
const NOTE_LIMIT = 1024;

/** readElfNotes reads the notes Plinth knows; others are passed over. */
export function readElfNotes(layout: ElfLayout): ElfNotes {
  const notes = noteAreas(layout).flatMap((area) => readNotes(layout, area));
  const find = (owner: string, type: number) =>
    notes.filter((note) => note.owner === owner && note.type === type);
  const [buildId] = find('GNU', NT_GNU_BUILD_ID);
  const [packageNote] = find('FDO', NT_FDO_PACKAGE);
  return {
    ...(buildId ? { buildId: hex(buildId.data) } : {}),
    dlopen: find('FDO', NT_FDO_DLOPEN).flatMap((note) => dlopenDependencies(layout.view, note)),
    ...(packageNote ? { package: stringFields(parseJson(layout.view, packageNote)) } : {}),
  };
}

interface NoteArea {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly align: number;
}

/** Segments cover what is loaded; relocatable objects and kernel modules have only sections. */
function noteAreas(layout: ElfLayout): NoteArea[] {
  const segments = layout.segments.filter(({ type, sizeBytes }) => type === 'note' && sizeBytes > 0);
  const covered = ({ offset }: NoteArea) =>
    segments.some((segment) => segment.offset <= offset && offset < segment.offset + segment.sizeBytes);
  return [...segments, ...layout.sections.filter((section) => section.isNote && !covered(section))];
}

function readNotes({ view, bigEndian }: ElfLayout, area: NoteArea): Note[] {
  const inside = new ByteView(view.slice(area.offset, area.sizeBytes), { what: view.what, bigEndian });
  const align = area.align === 8 ? 8 : 4;
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= area.sizeBytes; ) {
    const [ownerSize, dataSize, type] = [inside.u32(at), inside.u32(at + 4), inside.u32(at + 8)];
    const dataAt = alignUp(at + 12 + ownerSize, align);
    const owner = decodeText(inside.slice(at + 12, ownerSize)).replace(/\0+$/, '');
    notes.push({ owner, type, data: inside.slice(dataAt, dataSize) });
    if (notes.length > NOTE_LIMIT)
      throw view.fault('formats/limit', `more than ${NOTE_LIMIT} notes, expected fewer`);
    at = alignUp(dataAt + dataSize, align);
  }
  return notes;
}

function dlopenDependencies(view: ByteView, note: Note): DlopenDependency[] {
  const list = parseJson(view, note);
  if (!Array.isArray(list))
    throw view.fault('formats/elf-invalid', 'its dlopen note is no list, expected a list');
  return list.map((item: unknown) => {
    const fields = stringFields(item);
    const sonames = isRecord(item) && Array.isArray(item['soname']) ? item['soname'] : [];
    return {
      ...(fields['feature'] === undefined ? {} : { feature: fields['feature'] }),
      ...(fields['description'] === undefined ? {} : { description: fields['description'] }),
      sonames: sonames.filter((soname) => typeof soname === 'string'),
      priority: priorityOf(fields['priority']),
    };
  });
}

function priorityOf(text: string | undefined): DlopenDependency['priority'] {
  return text === 'required' || text === 'suggested' ? text : 'recommended';
}

/** The JSON texts of FDO notes are NUL-terminated and may be padded. */
function parseJson(view: ByteView, note: Note): unknown {
  const text = decodeText(note.data).replace(/\0[\s\S]*$/, '');
  try {
    return JSON.parse(text);
  } catch {
    throw view.fault(
      'formats/elf-invalid',
      `a note of type 0x${note.type.toString(16)} is not JSON, expected JSON`,
    );
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stringFields(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
